/* What the files of `cuts` share: cuts_walk.c enumerates, cuts_few.c is the fallback past the cap,
 * cuts.c collects, orders and answers. Private to graph/.
 *
 *     clv_cuts_draft d;
 *     clv_cuts_draft_init(&d, g);
 *     if (!clv_cuts_walk(&d, cap)) { clv_cuts_draft_clear(&d); clv_cuts_few(&d); }
 *     clv_cuts_draft_done(&d);
 *
 * A draft is a growing list of ideals with their live sets, in the order in which they were found,
 * with repeats. All bitsets have bit i % 64 of word i / 64 for member i.
 */
#ifndef CLV_GRAPH_CUTS_PRIV_H
#define CLV_GRAPH_CUTS_PRIV_H

#include "graph/cuts.h"

typedef struct clv_ideal {
    size_t n_units, n_live, bytes;
    size_t live_at; /* first of its live tensors in draft.live */
} clv_ideal;

typedef struct clv_cuts_draft {
    const clv_graph *graph; /* borrowed */
    size_t words;           /* of a bitset of units */
    clv_ideal *items;
    uint64_t *bits; /* `words` an ideal */
    int *live;
    size_t n, n_live, items_cap, bits_cap, live_cap;
} clv_cuts_draft;

void clv_cuts_draft_init(clv_cuts_draft *d, const clv_graph *g);
void clv_cuts_draft_clear(clv_cuts_draft *d);
void clv_cuts_draft_done(clv_cuts_draft *d);
/* Append an ideal of `n_units` with its live set as a bitset of tensors. */
void clv_cuts_draft_add(clv_cuts_draft *d, const uint64_t *units, size_t n_units,
                        const uint64_t *live);

/* Every ideal whose live tensors are all of known shape and dtype, and the empty and the full one.
 * False as soon as more than `cap` ideals were met. O(ideals × (width + live set + words)). */
bool clv_cuts_walk(clv_cuts_draft *d, size_t cap);
/* The empty and the full ideal, those of a single live tensor, and those just before and just after
 * an articulation point. O(tensors × edges). */
void clv_cuts_few(clv_cuts_draft *d);

/* May this tensor cross a cut? */
static inline bool clv_may_cross(const clv_graph_tensor *t)
{
    return t->dtype != CLV_DTYPE_NONE && t->shape.rank >= 0;
}

static inline size_t clv_bit_words(size_t n)
{
    return (n + 63) / 64;
}
static inline bool clv_bit_has(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}
static inline void clv_bit_set(uint64_t *bits, size_t i)
{
    bits[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline void clv_bit_clear(uint64_t *bits, size_t i)
{
    bits[i / 64] &= ~((uint64_t)1 << (i % 64));
}

#endif
