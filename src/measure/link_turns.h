/* Exchanges that overlap on one connection: how long did the link take for each, without its wait
 * for those before it?
 *
 *     clv_link_turns t = {.free_us = INT64_MIN};
 *     clv_link_turn turn;
 *     clv_link_turns_begin(&t, &turn, up_bytes, now_us);
 *     us = clv_link_turns_end(&t, &turn, &(clv_link_turn_end){.us = 152000, .back_us = 6000, .down_bytes = 4379});
 *     if (us > 0) clv_link_monitor_exchange(&m, now_us, up_bytes, 4379, us);
 *
 * What goes up on one connection goes in order: the bytes of an exchange wait until those before
 * them have gone. With sixteen requests in flight an exchange takes sixteen times its own transfer,
 * and an estimate that believes it takes the link for a sixteenth of what it is: then nothing is
 * shared any more just when there is the most to do. So an exchange counts from the moment when the
 * link was free for it: its own begin, or when the last bytes before it had gone, which is when
 * that exchange was over less its way back.
 *
 * What goes up in one stretch without an idle time between tells the rate (measure/throughput.h). TCP
 * takes a connection for busy until all is acknowledged, a round trip longer than the link is; that
 * the link had gone idle before the next exchange began is seen when the one before it ends.
 *
 * Nothing can be said (0) while one that began earlier is still under way, as then it is not known
 * when its bytes had gone; nor of an exchange that overlapped another and brought back more than it
 * sent, as answers wait for each other too and they are not told apart.
 *
 * While it lasts, TCP tells more: which bytes the other side has acknowledged. Once an exchange's own
 * have gone, its silence is the other side's, which computes, or has others before it; and the link
 * is at the next one:
 *
 *     clv_link_turns_line(&t, &turn, acked);                       // as it begins: what the connection has acknowledged
 *     clv_link_turn *now_up = clv_link_turns_look(&t, acked, now); // now and then; NULL: nothing is on its way up
 *
 * A plain value with links between turns: a turn stays where it is until it has ended. Times are
 * monotonic. Threads: one at a time.
 */
#ifndef CLV_MEASURE_LINK_TURNS_H
#define CLV_MEASURE_LINK_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct clv_link_turn {
    struct clv_link_turn *earlier, *later; /* under way too */
    int64_t start_us;
    size_t up_bytes;
    bool overlapped;     /* it began while another was under way */
    uint64_t goal_bytes; /* acknowledged on the connection once its own are; 0: not known */
    int64_t gone_us;     /* when they were first seen to be; 0: not yet */
} clv_link_turn;

typedef struct clv_link_turns {
    clv_link_turn *last;
    int64_t free_us;     /* when the last bytes known of had gone up; INT64_MIN: none yet */
    int64_t idle_us;     /* until when it was last seen to have nothing to carry up; 0: never */
    uint64_t line_bytes; /* acknowledged on the connection once all of them are */
} clv_link_turns;

typedef struct clv_link_turn_end {
    int64_t us;      /* begin to end, less what the other side waited and computed */
    int64_t back_us; /* of it the round trip and the answer's bytes, as they are estimated */
    size_t down_bytes;
} clv_link_turn_end;

void clv_link_turns_begin(clv_link_turns *t, clv_link_turn *turn, size_t up_bytes, int64_t now_us);
/* What the link took for this exchange alone, at least 1; 0: that is not known. */
int64_t clv_link_turns_end(clv_link_turns *t, clv_link_turn *turn, const clv_link_turn_end *end);
/* It ended without an answer: nothing is known of its bytes. */
void clv_link_turns_drop(clv_link_turns *t, clv_link_turn *turn);
/* Of all that are under way. */
size_t clv_link_turns_bytes(const clv_link_turns *t);
/* Where on the connection its bytes end. Other bytes between them (heads of frames) let them seem to
 * be there a little early; what was cancelled before it went, late, until nothing is under way. */
void clv_link_turns_line(clv_link_turns *t, clv_link_turn *turn, uint64_t acked_bytes);
/* The first exchange whose bytes are not known to have gone; NULL: none. */
clv_link_turn *clv_link_turns_look(clv_link_turns *t, uint64_t acked_bytes, int64_t now_us);
/* For how long, at `now_us`, the link has been at this exchange; 0: others are before it whose bytes
 * are not known to have gone. */
int64_t clv_link_turns_at(const clv_link_turns *t, const clv_link_turn *turn, int64_t now_us);

#endif
