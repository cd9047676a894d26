/* A device profile: what every legal prefix and suffix of one network costs on one device,
 * measured.
 *
 * A value, made by measure/profiler.h, kept as JSON (docs/json.md), joined with another device's by
 * the names of the tensors at each cut. Times are medians of whole compiled segments, not sums of
 * layers (MobileNetV2 as 34 chained blocks takes 1.8 times the time of the whole).
 *
 *     clv_profile *p;
 *     clv_profile_read("edge.json", &p, &err);
 *     double whole_us = p->cuts[p->n_cuts - 1].prefix.us;     // the last cut's prefix is everything
 *     clv_profile_free(p);
 *
 * Cuts are in the order of graph/cuts.h (few units to many); units in the order in which they run. A
 * profile owns all its texts. Threads: read by any, changed by one.
 */
#ifndef CLV_COST_PROFILE_H
#define CLV_COST_PROFILE_H

#include "base/digest.h"
#include "tensor/tensor.h"

enum { CLV_PROFILE_SCHEMA = 1 };
#define CLV_PROFILE_FILE_MAX ((size_t)64 << 20)

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

/* One unit of the network: what it makes, what work that is, and its share of the time. */
typedef struct clv_profile_unit {
    char *name, *op; /* as in clv_unit */
    char *shape;     /* of the first output */
    size_t output_bytes;
    uint64_t macs, params;
    double us; /* share of the whole: difference of prefixes, smoothed to be >= 0 and to sum to the
                  whole */
} clv_profile_unit;

typedef struct clv_profile {
    char model[128], digest[CLV_DIGEST_TEXT];
    char device[64], engine[128];
    int threads;
    double slowdown; /* stated factor of an emulated slower device, 1: none */
    clv_profile_cut *cuts;
    size_t n_cuts;
    clv_profile_unit *units;
    size_t n_units;
} clv_profile;

void clv_profile_free(clv_profile *p);
/* Is the time of this cut's prefix (suffix) known? Nothing to run (cut 0's prefix, the last cut's
 * suffix) is known to take no time. */
bool clv_profile_has_prefix(const clv_profile *p, size_t cut);
bool clv_profile_has_suffix(const clv_profile *p, size_t cut);
/* Text is NUL-terminated JSON (heap). Parsing checks schema, ranges (finite, not negative, below an
 * hour), counts and names, and says in the error which field is wrong. */
char *clv_profile_json(const clv_profile *p);
CLV_MUST
clv_status clv_profile_parse(const char *json, size_t bytes, clv_profile **out, clv_error *err);
CLV_MUST
clv_status clv_profile_read(const char *path, clv_profile **out, clv_error *err);
CLV_MUST
clv_status clv_profile_write(const char *path, const clv_profile *p, clv_error *err);

#endif
