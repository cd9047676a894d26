#include "policy/proven.h"

double clv_proven_look(clv_proven *p, const void *plan, uint64_t answered, int64_t now_us)
{
    if (p->plan != plan || answered < p->answered || now_us < p->since_us)
        *p = (clv_proven){.plan = plan, .answered = answered, .since_us = now_us};
    int64_t gone_us = now_us - p->since_us;
    if (gone_us < CLV_PROVEN_WINDOW_US) return p->per_s;
    p->per_s = (double)(answered - p->answered) * 1e6 / (double)gone_us;
    p->answered = answered;
    p->since_us = now_us;
    return p->per_s;
}
