/* A placement as one line for people, and back:
 *
 *     edge ..12:layer3.0.add | raw | cloud ..25:output
 *     edge - | int8 | hub - | int8 | cloud ..25:output
 *
 *     CLV_AUTO(clv_text_free) char *text = clv_plan_chain_text(&problem, &plan.chain);
 *     clv_plan_chain again;
 *     if (clv_plan_chain_parse(&problem, text, &again, &err) == CLV_OK) …
 *
 * Device after device, with the codec of the hop between two of them. `..` is how far a device gets: the
 * number of a cut and its label (graph/cuts.h); `-` is a device that runs nothing. Devices behind the
 * last one that runs anything are left out. Names and labels with other bytes than letters, digits and
 * _ . / + # - stand in double quotes, with \xHH for what could end a quotation, here or in a shell, and
 * for all that is not printable ASCII: the line can be pasted between single quotes whatever the names.
 *
 * The parser takes a cut by its number (`..12`), by its label (`..layer3.0.add`, `.."12"`), or by
 * both, which then must agree. Errors name the device, what was found and what would be right. What it
 * accepts is a chain of this problem; clv_plan_weigh() tells whether it was measured.
 */
#ifndef CLV_PLAN_PLAN_TEXT_H
#define CLV_PLAN_PLAN_TEXT_H

#include "plan/plan.h"

enum { CLV_PLAN_LINE_MAX = 8192 };

/* Heap text; NULL for a placement that is no chain of cuts (CLV_PLAN_NO_CUT). */
char *clv_plan_chain_text(const clv_plan_problem *p, const clv_plan_chain *chain);
/* CLV_EINVAL: no chain of this problem. CLV_ELIMIT: more than CLV_PLAN_LINE_MAX bytes. */
CLV_MUST
clv_status clv_plan_chain_parse(const clv_plan_problem *p, const char *text, clv_plan_chain *out,
                                clv_error *err);

#endif
