/* The codecs of a problem: what profiles have measured of each, by cut and by device. */
#include "base/mem.h"
#include "plan/tables_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { KIB_MAX = 1 << 20 };

/* Everything that is asked for one codec. */
typedef struct source {
    const clv_plan_sources *from;
    clv_codec codec;
    const clv_profile_codec *of[CLV_PLAN_DEVICES_MAX]; /* of each device's profile; NULL: none */
    int *at[CLV_PLAN_DEVICES_MAX]; /* [cuts->n] which cut of that profile; -1: none */
} source;

static int64_t whole_up(double x, int64_t max)
{
    return x < (double)max ? (int64_t)ceil(x) : max;
}

/* Microseconds for a million bytes are picoseconds for one. */
static int64_t ps_of(double us_per_mb)
{
    return whole_up(us_per_mb, CLV_PLAN_PS_MAX);
}

/* May it be used without knowing what it costs in accuracy? */
static bool is_free(const source *s)
{
    return !clv_codec_lossy(s->codec) || s->codec.quant == CLV_QUANT_F16 ||
           s->from->offer.drop_ppm == CLV_PLAN_NO_LIMIT;
}

/* Bytes and drop of cut i, from the first profile that has both, else from the first that has what is
 * needed. False: none. */
static bool measured_at(const source *s, size_t i, int64_t *bytes, int64_t *drop_ppm)
{
    for (int need_drop = 1; need_drop >= (is_free(s) ? 0 : 1); need_drop--)
        for (size_t k = 0; k < s->from->n_devices; k++) {
            const clv_profile_codec *c = s->of[k];
            int j = s->at[k][i];
            bool exact = !clv_codec_lossy(s->codec);
            if (!c || j < 0 || !(c->cut_bytes[j] > 0)) continue;
            if (need_drop && !exact && !c->cut_drop) continue;
            *bytes = whole_up(c->cut_bytes[j], CLV_PLAN_BYTES_MAX);
            *drop_ppm = 0;
            if (!exact && c->cut_drop)
                *drop_ppm = whole_up(c->cut_drop[j] * 1e6, CLV_PLAN_DROP_MAX);
            return true;
        }
    return false;
}

/* Fills [cuts->n] of each; returns at how many cuts the codec is offered. */
static size_t fill_cuts(const source *s, clv_plan_codec *codec, int64_t *bytes, int64_t *drops)
{
    const clv_cuts *cuts = s->from->cuts;
    size_t offered = 0;
    bool costs = false;
    codec->bytes_per_kib = 0;
    for (size_t i = 0; i < cuts->n; i++) {
        bytes[i] = CLV_PLAN_UNKNOWN;
        drops[i] = 0;
        if (i + 1 == cuts->n || !measured_at(s, i, &bytes[i], &drops[i])) continue;
        offered++;
        costs |= drops[i] > 0;
        double raw = CLV_MAX((double)cuts->items[i].bytes, 1);
        int64_t kib = whole_up(1024 * (double)bytes[i] / raw, KIB_MAX);
        codec->bytes_per_kib = CLV_MAX(codec->bytes_per_kib, kib);
    }
    codec->cut_bytes = bytes;
    codec->cut_drop_ppm = costs ? drops : NULL;
    return offered;
}

/* Returns whether some device can write it and another, behind it, read it. */
static bool fill_times(const source *s, clv_plan_codec *codec)
{
    bool writes = false, reads = false;
    for (size_t k = 0; k < s->from->n_devices; k++) {
        const clv_profile_codec *c = s->of[k];
        bool timed = c && (c->encode_us_per_mb > 0 || c->decode_us_per_mb > 0);
        codec->encode_ps_per_byte[k] = timed ? ps_of(c->encode_us_per_mb) : CLV_PLAN_UNKNOWN;
        codec->decode_ps_per_byte[k] = timed ? ps_of(c->decode_us_per_mb) : CLV_PLAN_UNKNOWN;
        if (timed && writes) reads = true;
        if (timed) writes = true;
    }
    return reads;
}

/* What costs accuracy has bytes only where it was tried on data. */
static void leave_out(clv_plan_left_out *out, const source *s, bool timed)
{
    uint32_t bit = UINT32_C(1) << clv_codec_index(s->codec);
    if (!(s->from->offer.named & bit)) return;
    if (timed && !is_free(s))
        out->unmeasured |= bit;
    else
        out->untimed |= bit;
}

static void add_codec(clv_plan_tables *t, source *s, clv_codec c)
{
    clv_plan_problem *p = &t->problem;
    size_t n = p->cuts->n;
    clv_codec_text name = clv_codec_show(c);
    s->codec = c;
    for (size_t k = 0; k < s->from->n_devices; k++)
        s->of[k] = clv_profile_codec_find(s->from->profiles[k], name.s);
    clv_plan_codec *codec = &t->codecs[p->n_codecs];
    *codec = (clv_plan_codec){0};
    snprintf(codec->name, sizeof codec->name, "%s", name.s);
    int64_t *bytes = t->codec_cuts + 2 * n * p->n_codecs;
    bool timed = fill_times(s, codec);
    if (timed && fill_cuts(s, codec, bytes, bytes + n))
        t->named[p->n_codecs++] = c;
    else
        leave_out(&t->left_out, s, timed);
}

void clv_tables_codecs(clv_plan_tables *t, const clv_plan_sources *from)
{
    clv_plan_problem *p = &t->problem;
    source s = {.from = from};
    t->codecs[0] = clv_plan_raw;
    t->named[0] = clv_codec_at(0);
    p->codecs = t->codecs;
    p->n_codecs = 1;
    if (!(from->offer.codecs >> 1)) return;
    for (size_t k = 0; k < from->n_devices; k++)
        s.at[k] = clv_tables_match(from->graph, from->cuts, from->profiles[k]);
    t->codec_cuts = clv_alloc_array(2 * p->cuts->n * CLV_PLAN_CODECS_MAX, sizeof *t->codec_cuts);
    for (size_t i = 1; i < CLV_CODECS; i++)
        if (from->offer.codecs >> i & 1) add_codec(t, &s, clv_codec_at(i));
    for (size_t k = 0; k < from->n_devices; k++) free(s.at[k]);
    if (p->n_codecs > 1) p->limits.drop_ppm = from->offer.drop_ppm;
}
