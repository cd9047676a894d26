/* What an inference answered and where its time went, shown to people and to programs.
 *
 *     clv_outcome a = {.model = ..., .version = ...};
 *     ... outputs, plan, timing ...
 *     clv_outcome_print(&a, &labels, stdout);             // tables
 *     json_t *json = clv_outcome_json(&a, &labels);       // docs/json.md, "infer"
 *     clv_outcome_done(&a);
 *
 * A float output of rank 1 or 2 with at least CLV_OUTCOME_TOP columns is taken for class scores: the
 * best classes of each row are shown with their probability, which is the softmax of the scores, or
 * the scores themselves where a row is probabilities already (within 0..1, sum 1). Every other
 * output is summarised: least, mean and greatest value and the first ones.
 *
 * Threads: one at a time. Values that are not finite are `null` in JSON, which has no word for
 * them. */
#ifndef CLV_CLI_OUTCOME_H
#define CLV_CLI_OUTCOME_H

#include "base/opt.h"
#include "split/request.h"
#include "tensor/tensor.h"

#include <jansson.h>

enum {
    CLV_OUTCOME_TOP = 5,
    CLV_OUTCOME_ROWS_MAX = 16, /* rows of a batch that are shown */
    CLV_OUTCOME_FIRST_MAX = 8, /* first values of other outputs */
    CLV_OUTCOME_LABELS_MAX = 1 << 20,
};

typedef struct clv_outcome {
    char *model, *version;          /* owned; version NULL: not known */
    char plan[128], recovered[160]; /* as in clv_request */
    clv_tensors outputs;
    /* Of the node that was asked (or of this machine); total_us of the asker. */
    clv_timing timing;
    clv_prediction predicted; /* by the plan of the node that was asked, if it was asked to say */
    bool explain;             /* set what was predicted beside what happened */
    const char *unexplained;  /* why nothing was predicted */
    /* The asker's own: from the question to its last byte sent, to the first byte of the answer, to
     * its last byte. 0 when nothing was sent. */
    int64_t send_us, wait_us, receive_us;
    int64_t network_us;    /* between asker and node: total less what the node says */
    int64_t write_us;      /* the asker's inputs into their codec; part of total_us */
    clv_trip trip;         /* of the node that was asked, then those behind it, where they told */
    clv_crossings crossed; /* from the asker to the node, then from node to node, where they told */
    bool timed;            /* false: the server does not say where the time went, it is no cleave */
} clv_outcome;

void clv_outcome_done(clv_outcome *a); /* NULL and zeroed ones are fine */

/* Total times of repeated requests, microseconds. */
typedef struct clv_outcome_latency {
    size_t count;
    double min_us, p50_us, p95_us;
} clv_outcome_latency;

/* Class names, one a line. */
CLV_MUST
clv_status clv_labels_read(const char *path, clv_text_list *out, clv_error *err);

void clv_outcome_print(const clv_outcome *a, const clv_text_list *labels, FILE *out);
void clv_outcome_print_latency(const clv_outcome_latency *l, FILE *out);
/* A new reference. */
json_t *clv_outcome_json(const clv_outcome *a, const clv_text_list *labels);
/* NAME.npy for each output; what a file name cannot hold becomes '_'. CLV_EEXIST: two outputs would
 * have one file. */
CLV_MUST
clv_status clv_outcome_write(const clv_outcome *a, const char *dir, clv_error *err);

/* The pure part, for tests and for whoever shows it otherwise. */
typedef struct clv_class {
    size_t row, index;
    double score, probability;
} clv_class;
/* Are these class scores? Then `*rows` and `*columns` are set. */
bool clv_outcome_classes(const clv_tensor *t, size_t *rows, size_t *columns);
/* The best CLV_OUTCOME_TOP of a row, best first; equal scores by index, NaN last. */
void clv_outcome_top(const clv_tensor *t, size_t row, size_t columns,
                     clv_class top[CLV_OUTCOME_TOP]);

#endif
