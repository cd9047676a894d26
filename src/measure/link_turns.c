#include "measure/link_turns.h"

#include "base/mem.h"

void clv_link_turns_begin(clv_link_turns *t, clv_link_turn *turn, size_t up_bytes, int64_t now_us)
{
    if (!t->last) t->idle_us = now_us;
    *turn = (clv_link_turn){.earlier = t->last,
                            .start_us = now_us,
                            .up_bytes = up_bytes,
                            .overlapped = t->last != NULL};
    if (t->last) t->last->later = turn;
    t->last = turn;
}

void clv_link_turns_drop(clv_link_turns *t, clv_link_turn *turn)
{
    if (turn->earlier) turn->earlier->later = turn->later;
    if (turn->later)
        turn->later->earlier = turn->earlier;
    else
        t->last = turn->earlier;
    turn->earlier = turn->later = NULL;
}

/* When the link was free for it. */
static int64_t begin_us(const clv_link_turns *t, const clv_link_turn *turn)
{
    return CLV_MAX(turn->start_us, t->free_us);
}

int64_t clv_link_turns_end(clv_link_turns *t, clv_link_turn *turn, const clv_link_turn_end *end)
{
    int64_t begin = begin_us(t, turn), over = turn->start_us + end->us;
    bool known = turn->earlier == NULL;
    bool mixed = (turn->overlapped || turn->later) && end->down_bytes > turn->up_bytes;
    t->free_us = CLV_MAX(t->free_us, over - CLV_MAX(end->back_us, (int64_t)0));
    if (turn->later && turn->later->start_us > t->free_us)
        t->idle_us = CLV_MAX(t->idle_us, turn->later->start_us);
    clv_link_turns_drop(t, turn);
    return known && !mixed ? CLV_MAX(over - begin, (int64_t)1) : 0;
}

size_t clv_link_turns_bytes(const clv_link_turns *t)
{
    size_t bytes = 0;
    for (const clv_link_turn *turn = t->last; turn; turn = turn->earlier) bytes += turn->up_bytes;
    return bytes;
}

void clv_link_turns_line(clv_link_turns *t, clv_link_turn *turn, uint64_t acked_bytes)
{
    uint64_t before = turn->earlier ? CLV_MAX(t->line_bytes, acked_bytes) : acked_bytes;
    t->line_bytes = turn->goal_bytes = before + turn->up_bytes;
}

clv_link_turn *clv_link_turns_look(clv_link_turns *t, uint64_t acked_bytes, int64_t now_us)
{
    clv_link_turn *turn = t->last;
    while (turn && turn->earlier) turn = turn->earlier;
    for (; turn && turn->goal_bytes && acked_bytes >= turn->goal_bytes; turn = turn->later)
        if (!turn->gone_us) turn->gone_us = now_us;
    return turn;
}

int64_t clv_link_turns_at(const clv_link_turns *t, const clv_link_turn *turn, int64_t now_us)
{
    if (turn->earlier && !turn->earlier->gone_us) return 0;
    int64_t free_us = turn->earlier ? turn->earlier->gone_us : INT64_MIN;
    return CLV_MAX(now_us - CLV_MAX(begin_us(t, turn), free_us), (int64_t)0);
}
