/* The inputs of a question on their way to a node: in which codec.
 *
 *     clv_upload_choice u;
 *     clv_upload_choose(&offer, profile, &inputs, &u, &err);        // profile: the node's, or NULL
 *     if (clv_codec_index(u.codec)) clv_coding_write(u.codec, inputs.items, inputs.n, &coded, &err);
 *
 * Of the codecs that are offered and may be used, the one that makes the inputs smallest; of two as
 * small the less lossy. Which may be used is as in a plan (plan/offer.h): lossless ones and f16
 * always; others where the node's profile has measured on data what they cost in accuracy when the
 * input goes in them (cut 0), and that is within the limit. Without a limit all.
 *
 * A node reads an encoding of any codec; other servers of the protocol do not, so who writes one
 * asks first what the other side is (cli/remote.h).
 *
 * Pure, but for memory. Threads: any. */
#ifndef CLV_CLI_UPLOAD_H
#define CLV_CLI_UPLOAD_H

#include "cost/profile.h"
#include "plan/offer.h"

typedef struct clv_upload_choice {
    clv_codec codec; /* raw: nothing makes them smaller, or nothing may be used */
    size_t raw_bytes, coded_bytes;
    clv_plan_left_out left_out; /* of those that were named */
} clv_upload_choice;

/* Is there a codec in the offer of which only a profile says whether it may be used? */
bool clv_upload_needs_profile(const clv_plan_offer *offer);
/* Errors: the codec's own (tensor/codec.h). */
CLV_MUST
clv_status clv_upload_choose(const clv_plan_offer *offer, const clv_profile *profile,
                             const clv_tensors *inputs, clv_upload_choice *out, clv_error *err);

#endif
