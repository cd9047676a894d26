/* The event loop: one thread that owns every socket and timer of a node. A thin face over libuv,
 * used as a readiness loop.
 *
 *     clv_loop *loop = clv_loop_new();
 *     clv_loop_post(loop, fn, arg);              // from any thread: fn(arg) runs on the loop's one
 *     clv_timer *t = clv_timer_new(loop, fn, arg);
 *     clv_timer_start(t, 1000000, 1000000);      // first after 1 s, then every second
 *     clv_loop_run(loop);                        // until clv_loop_stop()
 *     clv_timer_free(t);
 *     clv_loop_free(loop);
 *
 * Threads: clv_loop_post, clv_loop_rouse and clv_loop_stop from any, everything else on the loop's thread (or
 * before it runs, or after). The loop's thread is the one that called clv_loop_run() or
 * clv_loop_turn() last; before
 * that, the one that made it.
 */
#ifndef CLV_NET_LOOP_H
#define CLV_NET_LOOP_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { CLV_LOOP_SLEEPS_US = 1000 }; /* what takes longer leaves time to fall asleep */

typedef struct clv_loop clv_loop;
typedef struct clv_timer clv_timer;

clv_loop *clv_loop_new(void);
void clv_loop_run(clv_loop *loop);  /* until clv_loop_stop(), even one that came before */
void clv_loop_stop(clv_loop *loop); /* what was posted before it still runs first */
/* What is due now, without waiting: for taking things down while the loop does not run. */
void clv_loop_turn(clv_loop *loop);
/* In order; never lost while the loop lives. Wakes the loop once for any number of posts. */
void clv_loop_post(clv_loop *loop, void (*fn)(void *arg), void *arg);
/* Something will be posted in some microseconds, from any thread: a loop that has slept for long
 * takes tens of them to wake (a sleeping processor), and does so meanwhile. */
void clv_loop_rouse(clv_loop *loop);
bool clv_loop_here(const clv_loop *loop); /* is this the loop's thread? */
void clv_loop_on_signal(clv_loop *loop, int signum, void (*fn)(void *arg), void *arg);
/* Everything made on the loop must have been freed before. Runs what was posted, then frees. */
void clv_loop_free(clv_loop *loop);

/* Timers have a grain of 1 ms and are never early. `fn` may stop, restart or free its timer. */
clv_timer *clv_timer_new(clv_loop *loop, void (*fn)(void *arg), void *arg);
void clv_timer_start(clv_timer *t, int64_t after_us,
                     int64_t every_us); /* every_us 0: once; restarts a running one */
void clv_timer_stop(clv_timer *t);
void clv_timer_free(clv_timer *t); /* NULL is fine */

#endif
