/* Which cuts, and in which codecs, the demo measures: what the node would choose, its nearest
 * rivals, all here, all there, and the policies' choices.
 *
 *     clv_demo_contenders c;
 *     clv_demo_contenders_find(problem, CLV_DEMO_RIVALS, &c, &err);     // loop's thread: the problem is the server's
 *     for (size_t i = 0; i < c.n; i++) measure(c.items[i].cut, c.items[i].codec);
 *     clv_demo_contenders_done(&c);
 *
 * Codecs are those of the problem (--codecs; raw alone unless it is given), where they are offered
 * and keep its limit on accuracy. All here and all there, and what the policies of others choose,
 * are raw: what cleave is compared with.
 */
#ifndef CLV_CLI_DEMO_CONTENDERS_H
#define CLV_CLI_DEMO_CONTENDERS_H

#include "cli/demo_edge.h"

/* Predicted to take so many times the best: where policies are measured, such a choice is not, and
 * counts as predicted. */
#define CLV_DEMO_HOPELESS 10.0
/* Predicted within this of the best, or measured so in the first round: a rival, measured in every round. */
#define CLV_DEMO_NEAR 1.25

typedef struct clv_demo_entrant {
    size_t cut;
    clv_codec codec; /* of what crosses there; raw where nothing does */
    double predicted_us;
    int64_t tensor_bytes, coded_bytes; /* of the last request: what crossed, plain and as written */
    double *samples;                   /* owned: latencies in us, or frames per second under load */
    size_t n, cap;
    double energy_j; /* of all its requests */
    size_t n_energies;
    bool rival;
} clv_demo_entrant;

typedef struct clv_demo_contenders {
    clv_demo_entrant items[CLV_DEMO_CONTENDERS_MAX]; /* the exact plan first */
    size_t n;
    size_t last;                                   /* the cut of all here */
    clv_demo_choice choices[CLV_DEMO_CHOICES_MAX]; /* contender: index in items */
    size_t n_choices;                              /* 0: all contenders are measured */
} clv_demo_contenders;

typedef enum clv_demo_wanted {
    CLV_DEMO_RIVALS,   /* the nearest by prediction */
    CLV_DEMO_POLICIES, /* some of these, and what every policy chooses */
    CLV_DEMO_LOAD /* the exact plans for latency and for throughput, DADS, and one side alone */
} clv_demo_wanted;

CLV_MUST
clv_status clv_demo_contenders_find(const clv_plan_problem *p, clv_demo_wanted wanted,
                                    clv_demo_contenders *out, clv_error *err);
void clv_demo_contenders_done(clv_demo_contenders *c);
void clv_demo_entrant_add(clv_demo_entrant *e, double value);
/* What measured well in the first round is a rival too, whatever was predicted. */
void clv_demo_contenders_promote(clv_demo_contenders *c);
/* Is there a point in measuring it? */
bool clv_demo_entrant_hopeless(const clv_demo_contenders *c, const clv_demo_entrant *e);
/* Medians, labels and choices into a row; `load`: the values are frames per second. Sorts the samples. */
void clv_demo_contenders_report(clv_demo_contenders *c, clv_network *network, bool load,
                                clv_demo_row *row);

#endif
