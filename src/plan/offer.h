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
    int64_t drop_ppm; /* CLV_PLAN_NO_LIMIT: any */
} clv_plan_offer;

/* `codecs`: "auto" (all), "raw", or names with commas between them. `drop_points`: percentage points; CLV_OFFER_DROP_MAX or more:
 * no limit. CLV_EINVAL names what is no codec. */
CLV_MUST
clv_status clv_plan_offer_parse(const char *codecs, double drop_points, clv_plan_offer *out,
                                clv_error *err);
bool clv_plan_offer_has(const clv_plan_offer *o, clv_codec c);

#endif
