/* What is asked of a plan, from the command line: the objective and the limits.
 *
 *     clv_plan_question_options o; ... CLV_PLAN_QUESTION_OPTS(&o) ...
 *     clv_plan_question q = {0};
 *     clv_plan_question_ask(&o, &tables->problem, &q, &err);   // fills objective and limits
 *     ...
 *     clv_plan_question_done(&q);                              // after the problem's last use
 *
 * Contradictions are found before anything is planned, and named by the options that make them: a unit
 * pinned to two devices, a pin that privacy forbids, a unit that would have to run before one that it
 * reads from.
 */
#ifndef CLV_CLI_PLAN_QUESTION_H
#define CLV_CLI_PLAN_QUESTION_H

#include "base/opt.h"
#include "graph/leakage.h"
#include "plan/problem.h"

typedef struct clv_plan_question_options {
    const char *objective, *energy_limit, *private;
    int64_t deadline_us; /* 0: none */
    double price_limit;  /* 0: none */
    clv_text_list memories, pins;
    bool allow_return;
} clv_plan_question_options;
extern const clv_opt clv_plan_question_opts[];
extern const size_t clv_plan_question_opts_n;
#define CLV_PLAN_QUESTION_OPTS(target)                                                             \
    {                                                                                              \
        clv_plan_question_opts, clv_plan_question_opts_n, (target)                                 \
    }

typedef struct clv_plan_question { /* what the problem points to */
    uint8_t *unit_devices;
    bool *stays;
} clv_plan_question;

/* CLV_EUSAGE: what is asked makes no sense for this problem. */
CLV_MUST
clv_status clv_plan_question_ask(const clv_plan_question_options *o, clv_plan_problem *p,
                                 clv_plan_question *out, clv_error *err);
void clv_plan_question_done(clv_plan_question *q);

/* "latency", "p95" (a quantile of it), "energy", "price", "throughput" or
 * "weighted:latency=1,energy=0.5,price=2" (of a second, a joule, money). CLV_EUSAGE. */
CLV_MUST
clv_status clv_plan_objective_parse(const char *text, clv_plan_objective *out, clv_error *err);
/* The same text again, for people and for JSON. */
typedef struct clv_plan_objective_text {
    char s[96];
} clv_plan_objective_text;
clv_plan_objective_text clv_plan_objective_show(const clv_plan_objective *o);

#endif
