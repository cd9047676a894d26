/* Which cuts the demo measures: what the node would choose, its nearest rivals, all here, all there, and the policies' choices.
 *
 *     clv_demo_contenders c = {.network = net};
 *     clv_demo_contenders_find(&c, problem, &wanted, &err);     // loop's thread: the problem is the server's
 *     for (size_t i = 0; i < c.n; i++) measure(c.items[i].cut);
 *     clv_demo_contenders_done(&c);
 */
#ifndef CLV_CLI_DEMO_CONTENDERS_H
#define CLV_CLI_DEMO_CONTENDERS_H

#include "cli/demo_edge.h"

/* Predicted within this of the best, or measured so in the first round: a rival, measured in every round. */
#define CLV_DEMO_NEAR 1.25

typedef struct clv_demo_entrant {
    size_t cut;
    double predicted_us;
    double *samples; /* owned: latencies in us, or frames per second under load */
    size_t n, cap;
    bool rival;
} clv_demo_entrant;

typedef struct clv_demo_contenders {
    clv_demo_entrant items[CLV_DEMO_CONTENDERS_MAX];
    size_t n;
    size_t chosen;                                 /* the cut of the exact plan */
    size_t last;                                   /* the cut of all here */
    clv_demo_choice choices[CLV_DEMO_CHOICES_MAX]; /* contender: index in items */
    size_t n_choices;
} clv_demo_contenders;

typedef struct clv_demo_wanted {
    bool rivals;     /* the nearest by prediction */
    bool policies;   /* the policies' choices */
    bool throughput; /* the exact plan for throughput, too */
} clv_demo_wanted;

CLV_MUST
clv_status clv_demo_contenders_find(const clv_plan_problem *p, const clv_demo_wanted *wanted,
                                    clv_demo_contenders *out, clv_error *err);
void clv_demo_contenders_done(clv_demo_contenders *c);
void clv_demo_entrant_add(clv_demo_entrant *e, double value);
/* What measured well in the first round is a rival too, whatever was predicted. */
void clv_demo_contenders_promote(clv_demo_contenders *c);
/* Medians, labels and choices into a row; `load`: the values are frames per second. Sorts the samples. */
void clv_demo_contenders_report(clv_demo_contenders *c, clv_network *network, bool load,
                                clv_demo_row *row);

#endif
