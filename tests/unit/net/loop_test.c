#include "unit.h"

#include "net/loop.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, POSTS = 2000 };

typedef struct poster {
    clv_loop *loop;
    pthread_t thread;
    int next, *finished;
} poster;

typedef struct post {
    poster *from;
    int number;
} post;

static void on_post(void *arg)
{
    post *p = arg;
    assert_int_equal(p->number, p->from->next); /* in order */
    assert_true(clv_loop_here(p->from->loop));
    if (++p->from->next == POSTS && ++*p->from->finished == THREADS) clv_loop_stop(p->from->loop);
}

static post all[THREADS][POSTS];

static void *run_poster(void *arg)
{
    poster *p = arg;
    assert_false(clv_loop_here(p->loop));
    post *mine = all[p->next];
    p->next = 0;
    for (int i = 0; i < POSTS; i++) {
        mine[i] = (post){p, i};
        clv_loop_post(p->loop, on_post, &mine[i]);
    }
    return NULL;
}

static void posts_of_a_thread_run_in_order_and_none_is_lost(void **state)
{
    (void)state;
    int finished = 0;
    clv_loop *loop = clv_loop_new();
    poster posters[THREADS];
    for (int i = 0; i < THREADS; i++) {
        posters[i] = (poster){.loop = loop, .next = i, .finished = &finished};
        pthread_create(&posters[i].thread, NULL, run_poster, &posters[i]);
    }
    clv_loop_run(loop);
    for (int i = 0; i < THREADS; i++) pthread_join(posters[i].thread, NULL);
    assert_int_equal(finished, THREADS);
    clv_loop_free(loop);
}

typedef struct ticker {
    clv_loop *loop;
    clv_timer *timer, *once;
    int ticks, onces;
} ticker;

static void on_tick(void *arg)
{
    ticker *t = arg;
    if (++t->ticks < 3) return;
    clv_timer_free(t->timer); /* from inside */
    t->timer = NULL;
    clv_loop_stop(t->loop);
}

static void on_once(void *arg)
{
    ((ticker *)arg)->onces++;
}

static void timers_repeat_stop_and_may_free_themselves(void **state)
{
    (void)state;
    ticker t = {.loop = clv_loop_new()};
    clv_timer *never = clv_timer_new(t.loop, on_once, &t);
    t.timer = clv_timer_new(t.loop, on_tick, &t);
    t.once = clv_timer_new(t.loop, on_once, &t);
    clv_timer_start(t.timer, 2000, 2000);
    clv_timer_start(t.once, 1000, 0);
    clv_timer_start(never, 1000, 0);
    clv_timer_stop(never);
    clv_loop_run(t.loop);
    assert_int_equal(t.ticks, 3);
    assert_int_equal(t.onces, 1);
    clv_timer_free(t.once);
    clv_timer_free(never);
    clv_loop_free(t.loop);
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void what_was_posted_runs_before_a_stop_and_before_free(void **state)
{
    (void)state;
    int n = 0;
    clv_loop *loop = clv_loop_new();
    clv_loop_post(loop, count, &n);
    clv_loop_stop(loop);
    clv_loop_run(loop);
    assert_int_equal(n, 1);
    clv_loop_post(loop, count, &n);
    clv_loop_free(loop);
    assert_int_equal(n, 2);
}

/* Roused, it turns once with nothing to do, and runs on. */
static void who_is_roused_waits_for_what_is_posted(void **state)
{
    (void)state;
    int n = 0;
    clv_loop *loop = clv_loop_new();
    for (int i = 0; i < 3; i++) clv_loop_rouse(loop);
    clv_loop_turn(loop);
    clv_loop_turn(loop);
    assert_int_equal(n, 0);
    clv_loop_rouse(loop);
    clv_loop_post(loop, count, &n);
    clv_loop_turn(loop);
    assert_int_equal(n, 1);
    clv_loop_rouse(loop);
    clv_loop_stop(loop);
    clv_loop_run(loop);
    clv_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_a_thread_run_in_order_and_none_is_lost),
        cmocka_unit_test(timers_repeat_stop_and_may_free_themselves),
        cmocka_unit_test(what_was_posted_runs_before_a_stop_and_before_free),
        cmocka_unit_test(who_is_roused_waits_for_what_is_posted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
