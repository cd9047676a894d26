#include "plan/offer.h"

#include "base/buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CLV_CODECS <= 32 && (int)CLV_CODECS <= (int)CLV_PLAN_CODECS_MAX,
               "a bit for each codec");

bool clv_plan_offer_has(const clv_plan_offer *o, clv_codec c)
{
    return o->codecs >> clv_codec_index(c) & 1;
}

static clv_status add(const char *name, size_t n, uint32_t *codecs, clv_error *err)
{
    char text[64];
    clv_codec c;
    snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), name);
    clv_status s = clv_codec_parse(text, &c, err);
    if (s == CLV_OK) *codecs |= UINT32_C(1) << clv_codec_index(c);
    return s;
}

clv_status clv_plan_offer_parse(const char *codecs, double drop_points, clv_plan_offer *out,
                                clv_error *err)
{
    if (!(drop_points >= 0))
        return clv_fail(err, CLV_EINVAL,
                        "%g points of accuracy: must be 0 to %g, percentage points", drop_points,
                        CLV_OFFER_DROP_MAX);
    bool any = drop_points >= CLV_OFFER_DROP_MAX;
    clv_plan_offer o = {.drop_ppm = any ? CLV_PLAN_NO_LIMIT : llround(drop_points * 1e4)};
    if (strcmp(codecs, "auto") == 0) {
        o.codecs = (UINT32_C(1) << CLV_CODECS) - 1;
        *out = o;
        return CLV_OK;
    }
    for (const char *at = codecs;; at++) {
        size_t n = strcspn(at, ",");
        clv_status s = add(at, n, &o.codecs, err);
        if (s != CLV_OK) return s;
        at += n;
        if (!*at) break;
    }
    o.named = o.codecs;
    *out = o;
    return CLV_OK;
}

static void put_names(clv_buf *b, uint32_t codecs)
{
    const char *gap = "";
    for (size_t i = 0; i < CLV_CODECS; i++) {
        if (!(codecs >> i & 1)) continue;
        clv_buf_printf(b, "%s%s", gap, clv_codec_show(clv_codec_at(i)).s);
        gap = ", ";
    }
}

char *clv_plan_left_out_text(const clv_plan_left_out *l, const char *model)
{
    clv_buf b = {0};
    if (!l->unmeasured && !l->untimed) return NULL;
    if (l->unmeasured) {
        put_names(&b, l->unmeasured);
        clv_buf_printf(&b,
                       " left out: the cost in accuracy for %s is not measured; cleave profile "
                       "%s --data DATA --keep measures it",
                       model, model);
    }
    if (l->untimed) {
        clv_buf_text(&b, l->unmeasured ? "; " : "");
        put_names(&b, l->untimed);
        clv_buf_printf(&b,
                       " left out: the profiles of %s do not have the times and bytes of both "
                       "sides; cleave profile %s measures them",
                       model, model);
    }
    return clv_buf_take(&b);
}
