/* Which codecs a planner may choose from, and how much accuracy they may cost together.
 *
 *     clv_plan_offer offer;
 *     clv_plan_offer_parse("auto", 0.1, &offer, &err);     // 0.1 points of accuracy
 *     clv_plan_sources from = {..., .offer = offer};       // plan/tables.h
 *
 * A codec is offered at a cut if a profile has its bytes there, on the devices that have timed it, and
 * if it is lossless, or f16, or a profile has measured on data what it costs there in accuracy. So
 * without data the lossless ones and f16 are all there is. Without a limit on accuracy what is not
 * measured counts as nothing, and every codec is offered. Raw always is.
 *
 * Values. Threads: any.
 */
#ifndef CLV_PLAN_OFFER_H
#define CLV_PLAN_OFFER_H

#include "plan/problem.h"
#include "tensor/codec.h"

/* The most that can be lost, in percentage points. */
#define CLV_OFFER_DROP_MAX 100.0

typedef struct clv_plan_offer {
    uint32_t codecs;  /* bit clv_codec_index(c): c may be chosen. Zeroed: raw only */
    uint32_t named;   /* of these, those that were named one by one; none for "auto" */
    int64_t drop_ppm; /* CLV_PLAN_NO_LIMIT: any */
} clv_plan_offer;

/* What was named and is nowhere offered: whoever named it is to be told. Bits as in the offer. */
typedef struct clv_plan_left_out {
    uint32_t untimed;    /* no two devices' profiles have its times, or none its bytes */
    uint32_t unmeasured; /* what it costs in accuracy is known at no cut */
} clv_plan_left_out;

/* `codecs`: "auto" (all), "raw", or names with commas between them. `drop_points`: percentage
 * points; CLV_OFFER_DROP_MAX or more: no limit. CLV_EINVAL names what is no codec. */
CLV_MUST
clv_status clv_plan_offer_parse(const char *codecs, double drop_points, clv_plan_offer *out,
                                clv_error *err);
/* What is left out, why, and what would be right, for people; heap text, NULL if nothing is. */
char *clv_plan_left_out_text(const clv_plan_left_out *l, const char *model);
bool clv_plan_offer_has(const clv_plan_offer *o, clv_codec c);

#endif
