/* A plan as JSON, and back: exactly the same value.
 *
 *     CLV_AUTO(clv_text_free) char *text = clv_plan_json(&plan);
 *     clv_plan again;
 *     if (clv_plan_parse(text, strlen(text), &again, &err) == CLV_OK) …
 *     clv_plan_done(&again);
 *
 * Integers are written as integers: ns, nj, pm, us^2, bytes, as in plan/plan.h. A gap that is not known
 * is null. A plan may come from a peer or a file, so the parser is strict: every field must be there,
 * of its type and in its range, none twice, and the error names the one that is not. Fields that it
 * does not know are skipped, so a later version may add some. What it accepts is in range, not true:
 * weigh the chain on one's own problem before use.
 */
#ifndef CLV_PLAN_PLAN_JSON_H
#define CLV_PLAN_PLAN_JSON_H

#include "plan/plan.h"

enum { CLV_PLAN_SCHEMA = 2, CLV_PLAN_TEXT_MAX = 1 << 20 };

/* Heap text, NUL-terminated. */
char *clv_plan_json(const clv_plan *plan);
CLV_MUST
clv_status clv_plan_parse(const char *json, size_t bytes, clv_plan *out, clv_error *err);

#endif
