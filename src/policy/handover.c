#include "policy/handover.h"

/* How long a sign of life may take. */
static int64_t patience_us(const clv_handover_question *q)
{
    return (int64_t)(CLV_HANDOVER_TIMES * (double)q->rtt_us) + CLV_HANDOVER_SLACK_US;
}

bool clv_handover_wise(const clv_handover_question *q)
{
    if (q->here_us <= 0) return true;
    return q->silent_us <= patience_us(q) && q->remote_us <= q->here_us;
}

int64_t clv_handover_wait_us(const clv_handover_question *q)
{
    int64_t left_us = patience_us(q) - q->silent_us + 1;
    bool open = q->here_us > 0 && q->silent_us > 0 && left_us > 0 && clv_handover_wise(q);
    return open && left_us <= CLV_HANDOVER_WAIT_US ? left_us : 0;
}
