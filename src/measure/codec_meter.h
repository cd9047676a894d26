/* What codecs make of the tensors at a network's cuts: coded bytes, and the time to write and read.
 *
 *     clv_codec_meter *m = clv_codec_meter_new(profile->n_cuts, false);
 *     clv_codec_meter_add(m, cut, live, n_live, &err);      // the tensors of one request at this cut
 *     clv_codec_meter_fill(m, profile);
 *     clv_codec_meter_free(m);
 *
 * Every codec but raw is timed, best of a few runs, until it has had CLV_CODEC_METER_US: a profile says
 * how fast any codec is here. Bytes are the mean over what was added at a cut. They are those of all
 * codecs where real data goes through the network; on random inputs (`data` false) only those of the
 * lossless ones and f16, since what the others cost in accuracy is not known then.
 *
 * Threads: one.
 */
#ifndef CLV_MEASURE_CODEC_METER_H
#define CLV_MEASURE_CODEC_METER_H

#include "cost/profile.h"
#include "tensor/codec.h"

#define CLV_CODEC_METER_US 30000.0

typedef struct clv_codec_meter clv_codec_meter;

clv_codec_meter *clv_codec_meter_new(size_t n_cuts, bool data);
void clv_codec_meter_free(clv_codec_meter *m); /* NULL is fine */
CLV_MUST
clv_status clv_codec_meter_add(clv_codec_meter *m, size_t cut, const clv_tensor *tensors, size_t n,
                               clv_error *err);
/* Into the profile's codecs: times of those that were timed, bytes of the cuts that were added. Of lossless
 * ones at the last cut, where nothing crosses, nothing. */
void clv_codec_meter_fill(const clv_codec_meter *m, clv_profile *p);

#endif
