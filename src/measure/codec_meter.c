#include "measure/codec_meter.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { RUNS = 3 };

typedef struct tally {
    double encode_us, decode_us, raw_bytes; /* of what was timed */
    double spent_us;                        /* on timing */
    double *cut_bytes;                      /* sums */
} tally;

struct clv_codec_meter {
    tally tallies[CLV_CODECS];
    size_t *added; /* times that each cut was */
    size_t n_cuts;
    bool data;
};

clv_codec_meter *clv_codec_meter_new(size_t n_cuts, bool data)
{
    clv_codec_meter *m = clv_alloc(sizeof *m);
    m->n_cuts = n_cuts;
    m->data = data;
    m->added = clv_alloc_array(n_cuts, sizeof *m->added);
    for (size_t i = 0; i < CLV_CODECS; i++)
        m->tallies[i].cut_bytes = clv_alloc_array(n_cuts, sizeof *m->tallies[i].cut_bytes);
    return m;
}

void clv_codec_meter_free(clv_codec_meter *m)
{
    if (!m) return;
    for (size_t i = 0; i < CLV_CODECS; i++) free(m->tallies[i].cut_bytes);
    free(m->added);
    free(m);
}

/* Are the bytes of this codec wanted? */
static bool counts(const clv_codec_meter *m, clv_codec c)
{
    return m->data || !clv_codec_lossy(c) || c.quant == CLV_QUANT_F16;
}

static double since_us(int64_t start_ns)
{
    return (double)(clv_now_ns() - start_ns) / 1000;
}

/* One tensor there and back; the least times of the runs. */
static clv_status time_tensor(clv_codec c, const clv_tensor *t, tally *sum, clv_error *err)
{
    double encode_us = INFINITY, decode_us = INFINITY;
    int64_t start_ns = clv_now_ns();
    for (int i = 0; i < RUNS; i++) {
        clv_tensor coded, back;
        int64_t from_ns = clv_now_ns();
        clv_status s = clv_codec_encode(c, t, &coded, err);
        if (s != CLV_OK) return s;
        encode_us = fmin(encode_us, since_us(from_ns));
        from_ns = clv_now_ns();
        s = clv_codec_decode(&coded, &back, err);
        if (s == CLV_OK) {
            decode_us = fmin(decode_us, since_us(from_ns));
            clv_tensor_done(&back);
        }
        clv_tensor_done(&coded);
        if (s != CLV_OK) return s;
    }
    sum->encode_us += encode_us;
    sum->decode_us += decode_us;
    sum->raw_bytes += (double)t->bytes;
    sum->spent_us += since_us(start_ns);
    return CLV_OK;
}

static clv_status count_tensor(clv_codec c, const clv_tensor *t, double *bytes, clv_error *err)
{
    clv_tensor coded;
    clv_status s = clv_codec_encode(c, t, &coded, err);
    if (s != CLV_OK) return s;
    *bytes += (double)coded.bytes;
    clv_tensor_done(&coded);
    return CLV_OK;
}

clv_status clv_codec_meter_add(clv_codec_meter *m, size_t cut, const clv_tensor *tensors, size_t n,
                               clv_error *err)
{
    const size_t raw = clv_codec_index((clv_codec){0});
    for (size_t i = 0; i < CLV_CODECS; i++) {
        clv_codec c = clv_codec_at(i);
        tally *sum = &m->tallies[i];
        clv_status s = CLV_OK;
        for (size_t k = 0; i != raw && k < n && s == CLV_OK; k++) {
            if (counts(m, c)) s = count_tensor(c, &tensors[k], &sum->cut_bytes[cut], err);
            if (s == CLV_OK && tensors[k].bytes > 0 && sum->spent_us < CLV_CODEC_METER_US)
                s = time_tensor(c, &tensors[k], sum, err);
        }
        if (s != CLV_OK) return clv_within(err, "codec %s", clv_codec_show(c).s);
    }
    m->added[cut]++;
    return CLV_OK;
}

void clv_codec_meter_fill(const clv_codec_meter *m, clv_profile *p)
{
    const size_t raw = clv_codec_index((clv_codec){0});
    for (size_t i = 0; i < CLV_CODECS; i++) {
        const tally *sum = &m->tallies[i];
        if (i == raw || sum->raw_bytes <= 0) continue;
        clv_profile_codec *c = clv_profile_codec_add(p, clv_codec_show(clv_codec_at(i)).s);
        c->encode_us_per_mb = sum->encode_us / sum->raw_bytes * 1e6;
        c->decode_us_per_mb = sum->decode_us / sum->raw_bytes * 1e6;
        for (size_t k = 0; k < m->n_cuts; k++)
            if (m->added[k] > 0) c->cut_bytes[k] = sum->cut_bytes[k] / (double)m->added[k];
    }
}
