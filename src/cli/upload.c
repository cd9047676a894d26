#include "cli/upload.h"

#include "split/coding.h"

static bool is_free(clv_codec c, int64_t drop_ppm)
{
    return !clv_codec_lossy(c) || c.quant == CLV_QUANT_F16 || drop_ppm == CLV_PLAN_NO_LIMIT;
}

bool clv_upload_needs_profile(const clv_plan_offer *offer)
{
    for (size_t i = 1; i < CLV_CODECS; i++)
        if (offer->codecs >> i & 1 && !is_free(clv_codec_at(i), offer->drop_ppm)) return true;
    return false;
}

/* What the profile says of it at the input; NULL: nothing. */
static const double *drop_of(const clv_profile *profile, clv_codec c)
{
    if (!profile) return NULL;
    const clv_profile_codec *known = clv_profile_codec_find(profile, clv_codec_show(c).s);
    bool measured = known && known->cut_drop && known->cut_bytes && known->cut_bytes[0] > 0;
    return measured ? &known->cut_drop[0] : NULL;
}

static bool may(const clv_plan_offer *offer, const clv_profile *profile, clv_codec c,
                clv_plan_left_out *left_out)
{
    const double *drop = drop_of(profile, c);
    bool exact = !clv_codec_lossy(c);
    if (drop && !exact && offer->drop_ppm != CLV_PLAN_NO_LIMIT)
        return *drop * 1e6 <= (double)offer->drop_ppm;
    if (is_free(c, offer->drop_ppm)) return true;
    left_out->unmeasured |= offer->named & UINT32_C(1) << clv_codec_index(c);
    return false;
}

static clv_status measure(clv_codec c, const clv_tensors *inputs, size_t *bytes, clv_error *err)
{
    clv_tensors coded = {0};
    clv_status st = clv_coding_write(c, inputs->items, inputs->n, &coded, err);
    *bytes = clv_tensors_bytes(&coded);
    clv_tensors_done(&coded);
    return st;
}

clv_status clv_upload_choose(const clv_plan_offer *offer, const clv_profile *profile,
                             const clv_tensors *inputs, clv_upload_choice *out, clv_error *err)
{
    clv_upload_choice u = {.codec = clv_codec_at(0), .raw_bytes = clv_tensors_bytes(inputs)};
    u.coded_bytes = u.raw_bytes;
    for (size_t i = 1; i < CLV_CODECS; i++) {
        clv_codec c = clv_codec_at(i);
        size_t bytes;
        if (!(offer->codecs >> i & 1) || !may(offer, profile, c, &u.left_out)) continue;
        clv_status st = measure(c, inputs, &bytes, err);
        if (st) return st;
        if (bytes >= u.coded_bytes) continue;
        u.codec = c;
        u.coded_bytes = bytes;
    }
    *out = u;
    return CLV_OK;
}
