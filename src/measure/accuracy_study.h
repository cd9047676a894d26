/* What codecs cost in accuracy, cut by cut: measured on labelled data, not estimated.
 *
 *     clv_samples samples = {.name = "t10k", .n = 1000, .labels = labels, .read = read, .arg = &images};
 *     clv_accuracy_study o = {.progress = show, .arg = bar};
 *     clv_accuracy_study_run(network, &samples, &o, profile, &err);     // profile->accuracy, ->codecs
 *
 * Each sample goes through the network uncut, and cut at each legal cut with each lossy quantisation on the
 * tensors there; the largest output is the answer. Samples run in batches where the network's segments take
 * any, but each sample's tensors are coded by themselves, as those of a request of batch 1 are, so that
 * scales and bytes are those of the wire. The loss is paired: with w samples that only the uncut network
 * has right and c that only the cut one has, of n,
 *
 *     lost = (w - c) / n,   its variance ((w + c) / n - lost^2) / (n - 1),   drop = max(0, lost + one sigma)
 *
 * which needs far fewer samples than two accuracies do. Packers lose nothing, so q8+zstd is as q8. Coded
 * bytes are means over the first CLV_STUDY_BYTES_SAMPLES samples.
 *
 * Cuts that were left out (max_cuts) have no bytes, an accuracy of 0 and a drop of 1.
 *
 * Source: McNemar, "Note on the sampling error of the difference between correlated proportions", 1947.
 */
#ifndef CLV_MEASURE_ACCURACY_STUDY_H
#define CLV_MEASURE_ACCURACY_STUDY_H

#include "measure/profiler.h"

enum { CLV_STUDY_BYTES_SAMPLES = 200, CLV_STUDY_BATCH = 50 };

/* Labelled inputs of a network with one input. Their order should not tell their class. */
typedef struct clv_samples {
    char name[128]; /* of the data */
    size_t n;
    const int *labels; /* [n], from 0 */
    /* Samples first to first + n - 1 as a tensor for the network's input, its first dimension n. */
    clv_status (*read)(void *arg, size_t first, size_t n, clv_tensor *out, clv_error *err);
    void *arg;
} clv_samples;

typedef struct clv_accuracy_study {
    size_t max_cuts; /* besides the input, the most useful first (measure/cut_choice.h); 0: all */
    size_t batch;    /* 0: CLV_STUDY_BATCH, fewer of a large network */
    clv_profiler_progress progress; /* NULL: none */
    void *arg;
} clv_accuracy_study;

/* How many steps a run reports. */
size_t clv_accuracy_study_steps(const clv_network *network, const clv_samples *samples,
                                const clv_accuracy_study *o);
/* `p` is the network's profile: gets data, samples, accuracy, and its codecs with bytes, times and accuracy.
 * CLV_EINVAL: a label that is no class of the network. CLV_EUNSUPPORTED: not one input, or an answer that
 * is no FP32 scores. Segments that were resident before stay so. */
CLV_MUST
clv_status clv_accuracy_study_run(clv_network *network, const clv_samples *samples,
                                  const clv_accuracy_study *o, clv_profile *p, clv_error *err);

#endif
