/* Does a network give the same answer cut as uncut? Every cut asked for is run as prefix and suffix
 * on random inputs, and the outputs are compared with the whole network's.
 *
 *     clv_verify_report r;
 *     clv_verify(net, &(clv_verify_options){.batch = 1, .seed = 1}, &r, &err);
 *     printf("%zu cuts, %zu mismatches\n", r.cuts, r.mismatches);
 *
 * Equal means: every bit (`exact` counts those cuts), or for floating point an error of at most
 * CLV_VERIFY_TOLERANCE of the largest magnitude in that output. Integers, truth values and texts
 * must be the same. Segments are evicted after their use, so memory stays at that of a few.
 *
 * With a codec what crosses each cut (of the first, the input) is written and read in between. A
 * lossless codec must leave the outputs as above. Of a lossy one every tensor must come back within
 * the error that its encoding states (of one that clips, all but CLV_VERIFY_CLIPPED of its values);
 * what that makes of the outputs is reported and is no mismatch.
 */
#ifndef CLV_REPO_VERIFY_H
#define CLV_REPO_VERIFY_H

#include "repo/network.h"
#include "tensor/codec.h"

#define CLV_VERIFY_TOLERANCE 1e-4
#define CLV_VERIFY_CLIPPED   0.01

typedef struct clv_verify_options {
    size_t first;    /* the first cut of those to choose from, by its number */
    size_t last;     /* and the last; 0: the network's last */
    size_t cuts_max; /* how many of them, spread evenly; 0: all */
    int64_t batch;   /* 0: 1 */
    uint64_t seed;   /* of the inputs */
    clv_codec codec; /* zeroed: raw, nothing is coded */
    /* Called before every cut; may be NULL. */
    void (*progress)(void *arg, size_t done, size_t total, const char *label);
    void *arg;
} clv_verify_options;

typedef struct clv_verify_report {
    size_t cuts;                     /* run, the two trivial ones included */
    size_t exact;                    /* of them equal to the last bit */
    size_t mismatches;               /* of them not equal */
    size_t skipped;                  /* cuts that can run only at batch 1, when asked for another */
    double max_abs_err, max_rel_err; /* of the outputs */
    double coded_err; /* the largest of a tensor at a cut, as a share of what its encoding states */
    size_t raw_bytes, coded_bytes; /* of all cuts that were coded, together */
    /* Label of the first mismatch, else of the cut with the largest error; NULL: all exact. Heap text. */
    char *worst;
} clv_verify_report;

/* How many cuts these options ask for. */
size_t clv_verify_cuts(const clv_network *net, const clv_verify_options *options);
/* CLV_EUSAGE: the network has no cut `first` or `last`. */
CLV_MUST
clv_status clv_verify(clv_network *net, const clv_verify_options *options, clv_verify_report *out,
                      clv_error *err);

/* The difference of two tensors of one dtype and shape. `relative` is `absolute` over the largest
 * finite magnitude in `expected`; both are infinite where a comparison makes no sense (dtype,
 * shape, NaN against a number) or integers differ. */
typedef struct clv_difference {
    double absolute, relative;
    bool exact;
} clv_difference;
clv_difference clv_tensor_difference(const clv_tensor *got, const clv_tensor *expected);

#endif
