/* What the writer and the reader of cost/profile.h share. Private to cost/.
 *
 * profile.c writes, profile_parse.c reads the measured cuts, profile_network.c both for the
 * network's graph, profile_codec.c both for codecs. The features stand in one table here, so that
 * none is written and not read back. Reading believes nothing: every number has a bound, every name
 * is looked up, and an error names the field by its place in the document (cost/fields.h), as
 * "units[3].features.macs". */
#ifndef CLV_COST_PROFILE_PRIV_H
#define CLV_COST_PROFILE_PRIV_H

#include "cost/fields.h"
#include "cost/profile.h"

#define CLV_PROFILE_BYTES_MAX ((int64_t)1 << 40) /* also of a dimension */

/* Text of 64 hexadecimal digits. */
CLV_MUST
clv_status clv_digest_field(const clv_place *at, const char *key, char out[CLV_DIGEST_TEXT],
                            clv_error *err);
/* Field "reference" of a profile or a calibration (cost/speed.h), if it is known; reading it back, which leaves
 * *out alone where it is missing. */
void clv_speed_json(const clv_speed *s, json_t *of);
CLV_MUST
clv_status clv_speed_parse(const clv_place *of, clv_speed *out, clv_error *err);

/* The numbers of clv_unit_features: X(field, the most it may be). The least is 0. */
#define CLV_PROFILE_FEATURE_MAP(X)                                                                 \
    X(in_channels, CLV_PROFILE_BYTES_MAX)                                                          \
    X(in_h, CLV_PROFILE_BYTES_MAX)                                                                 \
    X(in_w, CLV_PROFILE_BYTES_MAX)                                                                 \
    X(out_channels, CLV_PROFILE_BYTES_MAX)                                                         \
    X(out_h, CLV_PROFILE_BYTES_MAX)                                                                \
    X(out_w, CLV_PROFILE_BYTES_MAX)                                                                \
    X(kernel_h, CLV_PROFILE_BYTES_MAX)                                                             \
    X(kernel_w, CLV_PROFILE_BYTES_MAX)                                                             \
    X(stride, CLV_PROFILE_BYTES_MAX)                                                               \
    X(groups, CLV_PROFILE_BYTES_MAX)                                                               \
    X(steps, CLV_PROFILE_BYTES_MAX)                                                                \
    X(smooth, 1)                                                                                   \
    X(macs, INT64_MAX)                                                                             \
    X(weight_bytes, CLV_PROFILE_BYTES_MAX)                                                         \
    X(in_bytes, CLV_PROFILE_BYTES_MAX)                                                             \
    X(out_bytes, CLV_PROFILE_BYTES_MAX)

/* An object with all of them and the kind; reading one back. */
json_t *clv_features_json(const clv_unit_features *f);
CLV_MUST
clv_status clv_features_parse(const clv_place *at, clv_unit_features *f, clv_error *err);

/* Tensor names in order, to find their indices. Borrows the names. */
typedef struct clv_tensor_names {
    struct clv_tensor_name {
        const char *name;
        int index;
    } * items;
    size_t n;
} clv_tensor_names;
/* Sorted once: a document has up to CLV_GRAPH_TENSORS_MAX of them and names each several times. */
clv_tensor_names clv_tensor_names_of(const clv_profile *p);
void clv_tensor_names_done(clv_tensor_names *names);
int clv_tensor_names_find(const clv_tensor_names *names, const char *name); /* -1: none */

/* Fields "tensors" and "units" of the document, and whether they are a graph. */
CLV_MUST
clv_status clv_profile_parse_network(const clv_place *root, clv_profile *p, clv_error *err);

/* Frees p->codecs. */
void clv_profile_codecs_done(clv_profile *p);
/* Fields "codecs", "data", "samples" and "accuracy", those that there are. */
void clv_profile_codecs_json(const clv_profile *p, json_t *root);
/* The same; the cuts are read already. All may be missing. */
CLV_MUST
clv_status clv_profile_parse_codecs(const clv_place *root, clv_profile *p, clv_error *err);

#endif
