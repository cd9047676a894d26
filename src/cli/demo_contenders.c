#include "cli/demo_contenders.h"

#include "base/mem.h"
#include "base/stats.h"
#include "split/route.h"

#include <stdlib.h>
#include <string.h>

enum { RIVALS = 6, RIVALS_FEW = 4, SEED = 1 };

_Static_assert(1 + CLV_DEMO_CHOICES_MAX + RIVALS + 2 <= CLV_DEMO_CONTENDERS_MAX,
               "the plan, the policies' choices, rivals and both sides find room");

/* A place to cut and the problem's number of the codec that is used there: 0, raw, where nothing crosses. */
typedef struct split {
    size_t cut, codec;
    double
        us; /* what a request takes so; negative: it cannot be carried out, or breaks the limit on accuracy */
} split;

static split split_at(const clv_plan_problem *p, size_t cut, size_t codec)
{
    clv_plan_chain chain = {.cut = {(int)cut, (int)p->cuts->n - 1}, .codec = {(int)codec}};
    clv_plan_cost cost;
    clv_error err = {0};
    split s = {cut, codec, -1};
    if (clv_plan_weigh(p, &chain, &cost, &err)) return s;
    if (cost.total.drop_ppm <= p->limits.drop_ppm) s.us = (double)cost.total.ns / 1e3;
    return s;
}

static clv_codec codec_of(const clv_plan_problem *p, size_t number)
{
    clv_codec codec = clv_codec_at(0);
    if (number > 0 && clv_codec_parse(p->codecs[number].name, &codec, NULL)) return clv_codec_at(0);
    return codec;
}

/* The index of the split among the items, added where it is new. Policies that agree share one. */
static size_t add(const clv_plan_problem *p, split s, bool rival, clv_demo_contenders *c)
{
    clv_codec codec = codec_of(p, s.codec);
    size_t i = 0, number = clv_codec_index(codec);
    while (i < c->n && (c->items[i].cut != s.cut || clv_codec_index(c->items[i].codec) != number))
        i++;
    if (i == c->n)
        c->items[c->n++] = (clv_demo_entrant){.cut = s.cut, .codec = codec, .predicted_us = s.us};
    c->items[i].rival |= rival;
    return i;
}

static int by_time(const void *a, const void *b)
{
    const split *x = a, *y = b;
    if (x->us < y->us || x->us > y->us) return x->us < y->us ? -1 : 1;
    if (x->cut != y->cut) return x->cut < y->cut ? 1 : -1;
    return (x->codec > y->codec) - (x->codec < y->codec);
}

static void add_rivals(const clv_plan_problem *p, double best_us, size_t most,
                       clv_demo_contenders *c)
{
    CLV_AUTO(clv_free) split *list = clv_alloc_array(p->cuts->n * p->n_codecs, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < p->cuts->n; i++)
        for (size_t k = 0; k < (i == c->last ? 1 : p->n_codecs); k++) {
            split s = split_at(p, i, k);
            if (s.us >= 0 && s.us < CLV_DEMO_NEAR * best_us) list[n++] = s;
        }
    qsort(list, n, sizeof *list, by_time);
    for (size_t i = 0; i < CLV_MIN(n, most); i++) add(p, list[i], true, c);
}

/* Of a chain of two devices. */
static split split_of(const clv_plan_problem *p, const clv_plan_chain *chain)
{
    size_t cut = (size_t)chain->cut[0];
    return split_at(p, cut, cut + 1 == p->cuts->n ? 0 : (size_t)chain->codec[0]);
}

static clv_status add_choice(const clv_plan_problem *p, clv_policy policy, const char *name,
                             clv_demo_contenders *c, clv_error *err)
{
    clv_policy_choice choice;
    clv_status status =
        clv_policy_choose(p, policy, &(clv_policy_options){.seed = SEED}, &choice, err);
    if (status) return status;
    clv_demo_choice *out = &c->choices[c->n_choices++];
    *out = (clv_demo_choice){.contender = (int)add(p, split_of(p, &choice.chain), false, c)};
    bool time = choice.goal != CLV_GOAL_ENERGY && choice.believed != CLV_PLAN_UNKNOWN;
    out->believed_us = time ? (double)choice.believed / 1e3 : 0;
    snprintf(out->policy, sizeof out->policy, "%s", name);
    return CLV_OK;
}

static const bool under_load[CLV_POLICY_COUNT] = {[CLV_POLICY_EXACT] = true,
                                                  [CLV_POLICY_EDGE] = true,
                                                  [CLV_POLICY_CLOUD] = true,
                                                  [CLV_POLICY_DADS_DSL] = true,
                                                  [CLV_POLICY_DADS_DSH] = true};

static clv_status add_choices(const clv_plan_problem *p, bool load, clv_demo_contenders *c,
                              clv_error *err)
{
    clv_status status = CLV_OK;
    for (int i = 0; !status && i < CLV_POLICY_COUNT; i++)
        if (!load || under_load[i])
            status = add_choice(p, (clv_policy)i, clv_policy_name((clv_policy)i), c, err);
    if (status || !load) return status;
    clv_plan_problem q = *p;
    q.objective = (clv_plan_objective){.goal = CLV_GOAL_THROUGHPUT};
    return add_choice(&q, CLV_POLICY_EXACT, "exact-throughput", c, err);
}

clv_status clv_demo_contenders_find(const clv_plan_problem *p, clv_demo_wanted wanted,
                                    clv_demo_contenders *out, clv_error *err)
{
    clv_policy_choice exact;
    clv_status status =
        clv_policy_choose(p, CLV_POLICY_EXACT, &(clv_policy_options){0}, &exact, err);
    if (status) return status;
    clv_demo_contenders c = {.last = p->cuts->n - 1};
    const split best = split_of(p, &exact.chain);
    add(p, best, true, &c);
    if (wanted != CLV_DEMO_RIVALS) status = add_choices(p, wanted == CLV_DEMO_LOAD, &c, err);
    if (status) return status;
    if (wanted != CLV_DEMO_LOAD)
        add_rivals(p, best.us, wanted == CLV_DEMO_RIVALS ? RIVALS : RIVALS_FEW, &c);
    const size_t sides[] = {0, c.last};
    for (size_t i = 0; i < CLV_COUNT(sides); i++) {
        const split s = split_at(p, sides[i], 0);
        if (s.us >= 0) add(p, s, s.us < CLV_DEMO_NEAR * best.us, &c);
    }
    for (size_t i = 0; i < c.n; i++)
        c.items[i].rival |= c.items[i].predicted_us < CLV_DEMO_NEAR * best.us;
    *out = c;
    return CLV_OK;
}

bool clv_demo_entrant_hopeless(const clv_demo_contenders *c, const clv_demo_entrant *e)
{
    return c->n_choices > 0 && !e->rival &&
           e->predicted_us > CLV_DEMO_HOPELESS * c->items[0].predicted_us;
}

void clv_demo_contenders_done(clv_demo_contenders *c)
{
    for (size_t i = 0; i < c->n; i++) free(c->items[i].samples);
    *c = (clv_demo_contenders){0};
}

void clv_demo_entrant_add(clv_demo_entrant *e, double value)
{
    clv_grow(&e->samples, &e->cap, e->n + 1, sizeof *e->samples);
    e->samples[e->n++] = value;
}

void clv_demo_contenders_promote(clv_demo_contenders *c)
{
    double best = -1;
    for (size_t i = 0; i < c->n; i++) {
        double us = clv_median(c->items[i].samples, c->items[i].n);
        if (c->items[i].n && (best < 0 || us < best)) best = us;
    }
    for (size_t i = 0; i < c->n; i++)
        if (c->items[i].n && clv_median(c->items[i].samples, c->items[i].n) <= CLV_DEMO_NEAR * best)
            c->items[i].rival = true;
}

static void describe(clv_demo_entrant *e, const char *label, bool load, clv_demo_contender *out)
{
    double median = clv_median(e->samples, e->n), sigma = clv_mad_sigma(e->samples, e->n);
    *out = (clv_demo_contender){.predicted_us = e->predicted_us, .n = (int)e->n, .rival = e->rival};
    if (e->n_energies) out->energy_j = e->energy_j / (double)e->n_energies;
    *(load ? &out->fps : &out->p50_us) = median;
    *(load ? &out->fps_sigma : &out->sigma_us) = sigma;
    snprintf(out->label, sizeof out->label, "%s", label);
}

static char *label_of(const clv_demo_contenders *c, clv_network *network, const clv_demo_entrant *e)
{
    const clv_route route = clv_route_at(e->cut, e->codec, c->last);
    return clv_route_label(&route, clv_network_cuts(network), clv_network_graph(network));
}

/* Requests take p50_us; under load a frame comes out every 1 / fps. Less is better in both. */
static double worth_us(const clv_demo_contender *c, bool load)
{
    return load ? 1e6 / c->fps : c->p50_us;
}

static void report_one(clv_demo_contenders *c, size_t i, clv_network *network, bool load,
                       double *best_us, clv_demo_row *row)
{
    clv_demo_entrant *e = &c->items[i];
    CLV_AUTO(clv_text_free) char *label = label_of(c, network, e);
    clv_demo_contender *out = &row->contenders[row->n_contenders++];
    describe(e, label, load, out);
    bool remote = e->cut == 0 && clv_codec_index(e->codec) == 0;
    if (remote) row->cloud_us = out->p50_us;
    if (remote) row->cloud_energy_j = out->energy_j;
    if (e->cut == c->last) row->local_us = out->p50_us;
    if (e->cut == c->last) row->local_energy_j = out->energy_j;
    double us = worth_us(out, load);
    if (i == 0) { /* the plan */
        row->tensor_bytes = (double)e->tensor_bytes;
        row->coded_bytes = (double)e->coded_bytes;
        row->p50_us = out->p50_us;
        row->energy_j = out->energy_j;
        row->predicted_us = e->predicted_us;
        row->regret = us;
        snprintf(row->plan, sizeof row->plan, "%s", label);
    }
    /* Who was far behind in the first round was not measured again, and cannot be compared with those who were. */
    if (e->n == 0 || !(e->rival || load) || (*best_us >= 0 && us >= *best_us)) return;
    *best_us = us;
    row->best_cut_us = out->p50_us;
    snprintf(row->best_cut, sizeof row->best_cut, "%s", label);
}

void clv_demo_contenders_report(clv_demo_contenders *c, clv_network *network, bool load,
                                clv_demo_row *row)
{
    int place[CLV_DEMO_CONTENDERS_MAX];
    double best_us = -1;
    row->n_contenders = row->n_choices = 0;
    for (size_t i = 0; i < c->n; i++) {
        bool tells = c->items[i].n > 0 || clv_demo_entrant_hopeless(c, &c->items[i]);
        place[i] = tells ? (int)row->n_contenders : -1;
        if (tells) report_one(c, i, network, load, &best_us, row);
    }
    row->regret = row->regret > 0 && best_us > 0 ? row->regret / best_us - 1 : 0;
    for (size_t i = 0; i < c->n_choices; i++) {
        clv_demo_choice choice = c->choices[i];
        choice.contender = place[choice.contender];
        if (choice.contender >= 0) row->choices[row->n_choices++] = choice;
    }
}
