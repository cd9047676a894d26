#include "measure/link_regimes.h"

#include <math.h>

/* 1 + its number; 0: none is near */
static size_t near(const clv_link_regimes *r, double rtt)
{
    size_t best = 0;
    double least = CLV_LINK_REGIME_NEAR;
    for (size_t i = 0; i < r->n; i++) {
        double apart = fabs(r->known[i].rtt - rtt);
        if (apart > least) continue;
        least = apart;
        best = i + 1;
    }
    return best;
}

static size_t oldest(const clv_link_regimes *r)
{
    size_t slot = 0;
    for (size_t i = 1; i < r->n; i++)
        if (r->known[i].seen_us < r->known[slot].seen_us) slot = i;
    return slot;
}

void clv_link_regimes_note(clv_link_regimes *r, const clv_link_regime *now)
{
    size_t known = near(r, now->rtt), slot = known - 1;
    if (!known) slot = r->n < CLV_LINK_REGIMES ? r->n++ : oldest(r);
    int right = known ? r->known[slot].right : 0;
    r->known[slot] = *now;
    r->known[slot].right = right;
}

const clv_link_regime *clv_link_regimes_recall(clv_link_regimes *r, double rtt)
{
    r->trial = near(r, rtt);
    return r->trial ? &r->known[r->trial - 1] : NULL;
}

void clv_link_regimes_judge(clv_link_regimes *r, bool right)
{
    if (!r->trial) return;
    clv_link_regime *on_trial = &r->known[r->trial - 1];
    r->trial = 0;
    if (right)
        on_trial->right += on_trial->right < CLV_LINK_REGIME_SURE;
    else if (on_trial->right > 0)
        on_trial->right /= 2;
    else
        *on_trial = r->known[--r->n];
}
