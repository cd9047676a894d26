/* What planners B and C carry from device to device: a label is the cost of one way to get somewhere,
 * in the numbers that the problem looks at and no others. Private to plan/.
 *
 *     clv_terms terms = clv_terms_of(p);
 *     clv_label l = {0}, toll;
 *     clv_terms_toll(&terms, &amount, wire_bytes, work_ns, &toll);
 *     clv_label_add(&l, &toll);
 *     clv_labels_offer(&here, &terms, &l);                       // kept unless another is no worse
 *
 * With one number to compare, a set has one label and the search is a shortest path. A limit on
 * something else than the objective, or a quantile (mean and variance), needs more numbers: then a
 * set keeps every label that no other beats in all of them, and the search stays exact.
 *
 * Sets are bounded: past terms.set_max some labels are dropped, those that are least in a number
 * never, and `thinned` says so.
 *
 * Source: Martins, "On a multicriteria shortest path problem", EJOR 1984. Our difference: ties in the
 * objective go by bytes on the wire, as lower digits of the same number.
 */
#ifndef CLV_PLAN_LABELS_H
#define CLV_PLAN_LABELS_H

#include "plan/parts.h"

__extension__ typedef __int128 clv_wide;

/* What a label may be compared by, besides its key. All but the period are sums. */
typedef enum clv_axis {
    CLV_AXIS_NS,
    CLV_AXIS_VAR, /* us² */
    CLV_AXIS_NJ,
    CLV_AXIS_PM,
    CLV_AXIS_DROP,
    CLV_AXIS_WORK,   /* ns of the device at hand, until its tensors are sent */
    CLV_AXIS_PERIOD, /* ns, the longest part of the pipeline so far */
    CLV_AXIS_COUNT
} clv_axis;

typedef struct clv_label {
    clv_wide key; /* the objective where it is one sum, then the bytes on the wire */
    int64_t v[CLV_AXIS_COUNT];
    int from, state; /* for its owner: where it came from, where it is */
} clv_label;

enum { CLV_LABEL_BYTES_BITS = 44, CLV_LABELS_MAX = 1 << 20, CLV_LABEL_SET_MAX = 1000 };

typedef struct clv_terms {
    const clv_plan_problem *p;
    unsigned needs; /* of parts.h */
    int64_t z_ppm;
    bool by_key;                   /* the key is compared, not only a tie's last word */
    bool by_bytes;                 /* the key is the bytes, then the latency */
    clv_axis axes[CLV_AXIS_COUNT]; /* compared as well */
    size_t n_axes, set_max;
    int64_t period_ns_max;
} clv_terms;

/* Throughput is no sum: its labels are compared by the work at hand, and those with a period over
 * period_ns_max, which the caller sets, are broken. */
clv_terms clv_terms_of(const clv_plan_problem *p);
/* Of the placements whose period is no longer than this, the fewest bytes, then the lowest latency. */
clv_terms clv_terms_within(const clv_plan_problem *p, int64_t period_ns_max);
/* An amount as something to add to a label. */
void clv_terms_toll(const clv_terms *t, const clv_plan_amount *a, int64_t wire_bytes,
                    int64_t work_ns, clv_label *out);
/* Does a label on its way already break a limit? */
bool clv_terms_broken(const clv_terms *t, const clv_label *l);
clv_plan_amount clv_label_amount(const clv_label *l);

static inline void clv_label_add(clv_label *l, const clv_label *toll)
{
    l->key += toll->key;
    for (int i = 0; i < CLV_AXIS_PERIOD; i++) l->v[i] += toll->v[i];
}

static inline void clv_label_subtract(clv_label *l, const clv_label *toll)
{
    l->key -= toll->key;
    for (int i = 0; i < CLV_AXIS_PERIOD; i++) l->v[i] -= toll->v[i];
}

/* One set, while it is filled. */
typedef struct clv_labels {
    clv_label *items;
    size_t n, cap;
    bool thinned;
} clv_labels;
/* Would `l` be kept? */
bool clv_labels_want(const clv_labels *set, const clv_terms *t, const clv_label *l);
void clv_labels_offer(clv_labels *set, const clv_terms *t, const clv_label *l);
void clv_labels_done(clv_labels *set);

/* Many sets, one behind the other: set s has items[first[s]] to items[first[s + 1] - 1]. */
typedef struct clv_label_sets {
    clv_label *items;
    size_t *first;
    size_t n, cap, n_sets, first_cap;
} clv_label_sets;
void clv_label_sets_clear(clv_label_sets *s);
void clv_label_sets_push(clv_label_sets *s, const clv_labels *set);
void clv_label_sets_done(clv_label_sets *s);

#endif
