/* What a plan predicted beside what happened, part by part: `cleave infer --explain`.
 *
 *     clv_explain e = clv_explain_of(&outcome.predicted, &happened);
 *     clv_explain_print(&e, stdout);            // a table
 *     json_object_set_new(doc, "explain", clv_explain_json(&e));
 *
 * A part is shown if it was predicted or happened. A prediction's interval is two standard
 * deviations to both sides: of the runs that the profile is made of, and of the link's estimate.
 * Pure. */
#ifndef CLV_CLI_EXPLAIN_H
#define CLV_CLI_EXPLAIN_H

#include "split/request.h"

#include <jansson.h>
#include <stdio.h>

enum { CLV_EXPLAIN_PARTS_MAX = 16 };

typedef struct clv_explain_part {
    const char *name, *about;
    int64_t predicted_us, sigma_us, happened_us;
    bool within; /* is it in the interval? */
} clv_explain_part;

typedef struct clv_explain {
    clv_explain_part parts[CLV_EXPLAIN_PARTS_MAX];
    size_t n;
} clv_explain;

/* `happened` is of the node whose prediction it is. Nothing was predicted: no parts. */
clv_explain clv_explain_of(const clv_prediction *predicted, const clv_timing *happened);
void clv_explain_print(const clv_explain *e, FILE *out);
json_t *clv_explain_json(const clv_explain *e); /* a new reference: an array */

#endif
