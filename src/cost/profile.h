/* A device profile: what every legal prefix and suffix of one network costs on one device, and the
 * network itself as a graph, so that a plan needs nothing else.
 *
 * A value, made by measure/profiler.h, kept as JSON (docs/json.md), joined with other devices' by
 * the names of the tensors at each cut (plan/tables.h). Times are medians of whole compiled segments,
 * not sums of layers (MobileNetV2 as 34 chained blocks takes 1.8 times the time of the whole).
 *
 *     clv_profile *p;
 *     clv_profile_read("edge.json", &p, &err);
 *     double whole_us = p->cuts[p->n_cuts - 1].prefix.us;     // the last cut's prefix is everything
 *     clv_graph *g;
 *     clv_profile_graph(p, &g, &err);                         // units and tensors, checked
 *     clv_profile_free(p);
 *
 * Cuts are in the order of graph/cuts.h (few units to many); units in the order in which they run. A
 * profile owns all its texts. Threads: read by any, changed by one.
 */
#ifndef CLV_COST_PROFILE_H
#define CLV_COST_PROFILE_H

#include "base/digest.h"
#include "cost/power.h"
#include "cost/speed.h"
#include "graph/graph.h"

enum { CLV_PROFILE_SCHEMA = 3 };
/* Inputs and outputs of all units together. */
enum { CLV_PROFILE_LINKS_MAX = 131072 };
#define CLV_PROFILE_FILE_MAX ((size_t)64 << 20)

enum { CLV_PROFILE_CODECS_MAX = 32 };
#define CLV_PROFILE_US_MAX 3.6e9 /* an hour: no time in a profile is longer */

/* A measured duration: median, robust standard deviation of one run, number of runs. n = 0: not
 * measured. */
typedef struct clv_time {
    double us, sigma_us;
    int n;
} clv_time;

typedef struct clv_profile_cut {
    char *label; /* as clv_cut_label() */
    char **live; /* names of the tensors at the cut */
    size_t n_live;
    size_t up_bytes;         /* what crosses towards the suffix at batch 1 */
    size_t down_bytes;       /* what the suffix answers */
    clv_time prefix, suffix; /* cut 0: prefix is 0; last cut: suffix is 0 */
} clv_profile_cut;

/* One unit of the network: what it reads and makes, what work that is, and its share of the time. */
typedef struct clv_profile_unit {
    char *name, *op; /* as in clv_unit */
    char *shape;     /* of the first output */
    size_t output_bytes;
    uint64_t macs, params, weight_bytes;
    int *inputs, *outputs; /* indices into clv_profile.tensors; their names in JSON */
    size_t n_inputs, n_outputs;
    clv_unit_features features;
    double us; /* share of the whole: difference of prefixes, smoothed to be >= 0 and to sum to the
                  whole */
} clv_profile_unit;

/* A tensor that depends on the network's input, as in clv_graph_tensor. */
typedef struct clv_profile_tensor {
    char *name;
    clv_dtype dtype;
    clv_shape shape;
    size_t bytes;
    bool is_input, is_output;
} clv_profile_tensor;

/* A codec (by its name in tensor/codec.h) at this network's cuts. Times are of this device for a million
 * raw bytes of a cut's tensors, without an emulated slowdown (which is the engine's alone), so a profile
 * made on the device has them of every codec. Bytes and accuracy are the network's, the same on any
 * device, and are kept by the device that measured them: bytes of lossless codecs and f16 on seeded random
 * inputs, all bytes and the accuracy on data. A codec is offered at a cut whose bytes are known, if it is
 * lossless, f16, or its accuracy there is known too. */
typedef struct clv_profile_codec {
    char name[16];
    double encode_us_per_mb, decode_us_per_mb; /* both 0: not measured */
    double *cut_bytes; /* [n_cuts] mean coded bytes of all tensors at the cut; 0: not measured */
    double *cut_drop; /* [n_cuts] share of right answers lost there, >= 0: the measured mean and one
                           standard error of it; NULL: lossless, or without data */
    double *cut_accuracy; /* [n_cuts] share of right answers there, as measured; NULL as cut_drop */
} clv_profile_codec;

typedef struct clv_profile {
    char model[128], digest[CLV_DIGEST_TEXT];
    char device[64], engine[128];
    int threads;
    double slowdown;     /* stated factor of an emulated slower device, 1: none */
    clv_power power;     /* zeroed: not known */
    clv_speed reference; /* how fast the machine was meanwhile; zeroed: not known */
    double price_per_s;  /* money for computing, in any currency; 0: none */
    clv_profile_cut *cuts;
    size_t n_cuts;
    clv_profile_unit *units;
    size_t n_units;
    clv_profile_tensor *tensors;
    size_t n_tensors;
    clv_profile_codec *codecs; /* raw is not among them; may be none */
    size_t n_codecs;           /* at most CLV_PROFILE_CODECS_MAX */
    char data[128];  /* what coded bytes and accuracy were measured on; "": seeded random inputs */
    int samples;     /* of that data; 0: none */
    double accuracy; /* of the uncut network on it, a share of 1; 0: no data */
} clv_profile;

void clv_profile_free(clv_profile *p);
/* Gives a profile without units and tensors those of `g`; all times 0. */
void clv_profile_describe(clv_profile *p, const clv_graph *g);
/* All times of segments and units `factor` times as long; those of codecs stay. */
void clv_profile_scale(clv_profile *p, double factor);
/* The network that was profiled, its units and tensors in the profile's order. What
 * clv_profile_parse() gave always has one. CLV_EINVAL names what is inconsistent: a tensor made twice
 * or by nobody, a unit that needs what is made later. */
CLV_MUST
clv_status clv_profile_graph(const clv_profile *p, clv_graph **out, clv_error *err);
/* Is the time of this cut's prefix (suffix) known? Nothing to run (cut 0's prefix, the last cut's
 * suffix) is known to take no time. */
bool clv_profile_has_prefix(const clv_profile *p, size_t cut);
bool clv_profile_has_suffix(const clv_profile *p, size_t cut);
/* The codec of this name, NULL: none. */
clv_profile_codec *clv_profile_codec_find(const clv_profile *p, const char *name);
/* The same, or a new one of which nothing is measured, with room for the bytes at each cut. The pointer
 * holds until the next is added. */
clv_profile_codec *clv_profile_codec_add(clv_profile *p, const char *name);
/* Gives `p` what was measured on data of the same network and cuts (bytes and accuracy, not times) and
 * recorded in `from`; nothing when `from` has no data or is of another network. */
void clv_profile_take_data(clv_profile *p, const clv_profile *from);
/* Text is NUL-terminated JSON (heap). Parsing checks schema, ranges (finite, not negative, below an
 * hour), counts, names, and that units, tensors and cuts fit together, and says in the error which
 * field is wrong. CLV_EMISMATCH: of another schema. */
char *clv_profile_json(const clv_profile *p);
CLV_MUST
clv_status clv_profile_parse(const char *json, size_t bytes, clv_profile **out, clv_error *err);
CLV_MUST
clv_status clv_profile_read(const char *path, clv_profile **out, clv_error *err);
CLV_MUST
clv_status clv_profile_write(const char *path, const clv_profile *p, clv_error *err);

#endif
