#include "policy/handover.h"

bool clv_handover_wise(const clv_handover_question *q)
{
    if (q->here_us <= 0) return true;
    double patience_us = CLV_HANDOVER_TIMES * (double)q->rtt_us + CLV_HANDOVER_SLACK_US;
    bool silent = (double)q->silent_us > patience_us;
    return !silent && q->remote_us <= q->here_us;
}
