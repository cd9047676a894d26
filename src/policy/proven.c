#include "policy/proven.h"

bool clv_proven_look(clv_proven *p, const void *plan, uint64_t answered, bool queue, int64_t now_us)
{
    if (p->plan != plan || answered < p->answered || now_us < p->since_us)
        *p =
            (clv_proven){.plan = plan, .answered = answered, .since_us = now_us, .calm_us = now_us};
    if (!queue) p->calm_us = now_us;
    int64_t gone_us = now_us - p->since_us;
    if (gone_us < CLV_PROVEN_WINDOW_US) return false;
    p->per_s = (double)(answered - p->answered) * 1e6 / (double)gone_us;
    p->answered = answered;
    p->since_us = now_us;
    return p->per_s > 0 && now_us - p->calm_us >= gone_us + CLV_PROVEN_WINDOW_US;
}
