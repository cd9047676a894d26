#include "policy/switching.h"

#include <math.h>

void clv_switching_init(clv_switching *s)
{
    *s = (clv_switching){.live = CLV_SWITCHING_NONE};
}

int clv_switching_admit(clv_switching *s, unsigned keep)
{
    int slot = CLV_SWITCHING_NONE;
    double least = INFINITY;
    for (int p = 0; p < CLV_SWITCHING_PLANS; p++) {
        if (s->known[p]) least = fmin(least, s->work[p]);
        if (p == s->live || keep >> p & 1) continue;
        bool better = slot < 0 || (s->known[slot] && (!s->known[p] || s->work[p] > s->work[slot]));
        if (better) slot = p;
    }
    if (slot < 0) return slot;
    s->known[slot] = true;
    s->work[slot] = isfinite(least) ? least + s->most : 0;
    return slot;
}

void clv_switching_moved(clv_switching *s, int slot)
{
    s->live = slot;
}

double clv_prospect_sigma(const clv_prospect *a, const clv_prospect *b)
{
    double var = a->own_sigma * a->own_sigma + b->own_sigma * b->own_sigma;
    for (int f = 0; f < CLV_SWITCHING_FACTORS; f++) {
        double apart = a->factor[f] - b->factor[f];
        var += apart * apart;
    }
    return sqrt(var);
}

static bool is_possible(const clv_switching *s, const clv_prospect *prospects, int p)
{
    return s->known[p] && prospects[p].cost > 0 && isfinite(prospects[p].cost);
}

/* The tasks are served, then whoever is better off elsewhere moves there. */
static void work(clv_switching *s, const clv_prospect *prospects, double tasks)
{
    double least = INFINITY;
    s->most = 0;
    for (int p = 0; p < CLV_SWITCHING_PLANS; p++) {
        if (!s->known[p]) continue;
        if (isfinite(prospects[p].entry)) s->most = fmax(s->most, prospects[p].entry);
        if (!is_possible(s, prospects, p))
            s->work[p] = INFINITY;
        else if (tasks > 0)
            s->work[p] += tasks * prospects[p].cost;
        least = fmin(least, s->work[p]);
    }
    if (!isfinite(least)) least = 0; /* no plan is possible: all are where they can be entered */
    for (int p = 0; p < CLV_SWITCHING_PLANS; p++)
        if (s->known[p]) s->work[p] = fmin(s->work[p] - least, prospects[p].entry);
}

static int cheapest(const clv_switching *s, const clv_prospect *prospects)
{
    int best = CLV_SWITCHING_NONE;
    for (int p = 0; p < CLV_SWITCHING_PLANS; p++)
        if (is_possible(s, prospects, p) && (best < 0 || prospects[p].cost < prospects[best].cost))
            best = p;
    return best;
}

/* Where the present plan's work function has reached that of the other and the switch, and the gain is beyond doubt. */
static int target(const clv_switching *s, const clv_prospect *prospects, double *gain,
                  double *interval)
{
    int to = s->live;
    double reach = s->work[s->live];
    for (int p = 0; p < CLV_SWITCHING_PLANS; p++) {
        if (p == s->live || !is_possible(s, prospects, p)) continue;
        double promised = prospects[s->live].cost - prospects[p].cost;
        double doubt =
            CLV_SWITCHING_SIGMAS * clv_prospect_sigma(&prospects[p], &prospects[s->live]);
        double there = s->work[p] + prospects[s->live].entry;
        bool sure = promised > 0 && promised > doubt;
        if (!sure || there > reach || (to != s->live && there == reach)) continue;
        to = p;
        reach = there;
        *gain = promised;
        *interval = doubt;
    }
    return to;
}

/* How near it is to being chosen: 0 if nothing has spoken for it lately, else less. */
static double lag(const clv_switching *s, const clv_prospect *prospects, int p)
{
    return s->work[p] - prospects[p].entry;
}

static int runner_up(const clv_switching *s, const clv_prospect *prospects, int to)
{
    int second = CLV_SWITCHING_NONE;
    for (int p = 0; p < CLV_SWITCHING_PLANS; p++) {
        if (p == to || !is_possible(s, prospects, p)) continue;
        double apart = second < 0 ? 0 : lag(s, prospects, p) - lag(s, prospects, second);
        bool nearer =
            second < 0 || apart < 0 || (apart == 0 && prospects[p].cost < prospects[second].cost);
        if (nearer) second = p;
    }
    return second;
}

void clv_switching_step(clv_switching *s, const clv_prospect prospects[CLV_SWITCHING_PLANS],
                        double tasks, clv_switching_verdict *out)
{
    *out = (clv_switching_verdict){.to = s->live};
    work(s, prospects, tasks);
    if (s->live < 0 || !is_possible(s, prospects, s->live))
        out->to = cheapest(s, prospects);
    else
        out->to = target(s, prospects, &out->gain, &out->interval);
    out->second = runner_up(s, prospects, out->to);
}
