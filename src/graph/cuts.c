#include "graph/cuts.h"

#include "base/buf.h"
#include "graph/cuts_priv.h"

#include <stdlib.h>
#include <string.h>

void clv_cuts_draft_init(clv_cuts_draft *d, const clv_graph *g)
{
    *d = (clv_cuts_draft){.graph = g, .words = CLV_MAX(clv_bit_words(g->n_units), (size_t)1)};
}

void clv_cuts_draft_clear(clv_cuts_draft *d)
{
    d->n = d->n_live = 0;
}

void clv_cuts_draft_done(clv_cuts_draft *d)
{
    free(d->items);
    free(d->bits);
    free(d->live);
}

void clv_cuts_draft_add(clv_cuts_draft *d, const uint64_t *units, size_t n_units,
                        const uint64_t *live)
{
    clv_ideal ideal = {.n_units = n_units, .live_at = d->n_live};
    clv_grow(&d->bits, &d->bits_cap, (d->n + 1) * d->words, sizeof *d->bits);
    memcpy(d->bits + d->n * d->words, units, clv_bit_words(d->graph->n_units) * sizeof *units);
    for (size_t w = 0; w < clv_bit_words(d->graph->n_tensors); w++)
        for (uint64_t rest = live[w]; rest; rest &= rest - 1) {
            int t = (int)(w * 64) + __builtin_ctzll(rest);
            clv_grow(&d->live, &d->live_cap, d->n_live + 1, sizeof *d->live);
            d->live[d->n_live++] = t;
            ideal.bytes += d->graph->tensors[t].bytes;
        }
    ideal.n_live = d->n_live - ideal.live_at;
    clv_grow(&d->items, &d->items_cap, d->n + 1, sizeof *d->items);
    d->items[d->n++] = ideal;
}

/* Fewer units first; then the one that has the lowest unit in which they differ. */
static int by_units(const void *a, const void *b, void *words)
{
    const clv_cut *x = a, *y = b;
    if (x->n_units != y->n_units) return x->n_units < y->n_units ? -1 : 1;
    for (size_t w = 0; w < *(size_t *)words; w++) {
        uint64_t differ = x->units[w] ^ y->units[w];
        if (differ) return x->units[w] & (differ & -differ) ? -1 : 1;
    }
    return 0;
}

static bool same_live(const clv_cut *a, const clv_cut *b)
{
    return a->n_live == b->n_live &&
           (!a->n_live || memcmp(a->live, b->live, a->n_live * sizeof *a->live) == 0);
}

static uint64_t hash_live(const clv_cut *cut)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < cut->n_live; i++) h = (h ^ (uint64_t)cut->live[i]) * 0x100000001b3u;
    return h ^ h >> 32;
}

/* Of the ideals with the same live set keep the largest, of those the first; the empty ideal beats
 * all and is never beaten, nor is the full one. `cuts` is in order and stays so. */
static size_t drop_repeats(clv_cut *cuts, size_t n, size_t n_units)
{
    size_t slots = 16, kept = 0;
    while (slots < 2 * n) slots *= 2;
    CLV_AUTO(clv_free) size_t *table = clv_alloc_array(slots, sizeof *table); /* index + 1 */
    CLV_AUTO(clv_free) bool *drop = clv_alloc_array(n, sizeof *drop);
    for (size_t i = 0; i < n; i++) {
        size_t at = hash_live(&cuts[i]) & (slots - 1);
        while (table[at] && !same_live(&cuts[table[at] - 1], &cuts[i])) at = (at + 1) & (slots - 1);
        if (!table[at]) {
            table[at] = i + 1;
            continue;
        }
        size_t before = table[at] - 1;
        bool same_size = cuts[before].n_units == cuts[i].n_units, full = cuts[i].n_units == n_units;
        if (same_size || (cuts[before].n_units == 0 && !full)) {
            drop[i] = true;
        } else {
            drop[before] = cuts[before].n_units != 0;
            table[at] = i + 1;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (!drop[i]) cuts[kept++] = cuts[i];
    return kept;
}

/* An output of the network: every cut whose ideal does not make it gets it back. */
static void add_down_bytes(clv_cuts *cuts, size_t n, const clv_graph_tensor *output)
{
    if (output->producer == CLV_NO_UNIT) return;
    for (size_t i = 0; i < n; i++)
        if (!clv_cut_has(&cuts->items[i], output->producer))
            cuts->items[i].down_bytes += output->bytes;
}

/* One block holds everything: the head, the cuts, their bitsets, their live sets. */
static clv_cuts *cuts_of_draft(const clv_cuts_draft *d, bool capped)
{
    size_t bits_at = sizeof(clv_cuts) + d->n * sizeof(clv_cut);
    size_t live_at = bits_at + d->n * d->words * sizeof *d->bits;
    clv_cuts *cuts = clv_alloc(live_at + d->n_live * sizeof *d->live);
    cuts->items = (clv_cut *)(cuts + 1);
    uint64_t *bits = (uint64_t *)(cuts->items + d->n);
    int *live = (int *)(bits + d->n * d->words);
    if (d->n) memcpy(bits, d->bits, d->n * d->words * sizeof *bits);
    if (d->n_live) memcpy(live, d->live, d->n_live * sizeof *live);
    for (size_t i = 0; i < d->n; i++)
        cuts->items[i] = (clv_cut){.units = bits + i * d->words,
                                   .n_units = d->items[i].n_units,
                                   .live = live + d->items[i].live_at,
                                   .n_live = d->items[i].n_live,
                                   .bytes = d->items[i].bytes};
    for (size_t t = 0; t < d->graph->n_tensors; t++)
        if (d->graph->tensors[t].is_output) add_down_bytes(cuts, d->n, &d->graph->tensors[t]);
    cuts->words = d->words;
    cuts->capped = capped;
    qsort_r(cuts->items, d->n, sizeof *cuts->items, by_units, &cuts->words);
    cuts->n = drop_repeats(cuts->items, d->n, d->graph->n_units);
    return cuts;
}

clv_status clv_cuts_enumerate(const clv_graph *g, size_t cap, clv_cuts **out, clv_error *err)
{
    clv_status st = clv_graph_check(g, err);
    if (st) return st;
    CLV_AUTO(clv_cuts_draft_done) clv_cuts_draft d;
    clv_cuts_draft_init(&d, g);
    bool capped = !clv_cuts_walk(&d, cap);
    if (capped) {
        clv_cuts_draft_clear(&d);
        clv_cuts_few(&d);
    }
    *out = cuts_of_draft(&d, capped);
    return CLV_OK;
}

void clv_cuts_free(clv_cuts *cuts)
{
    free(cuts);
}

bool clv_cut_has(const clv_cut *cut, int unit)
{
    return clv_bit_has(cut->units, (size_t)unit);
}

bool clv_cut_within(const clv_cuts *cuts, size_t inner, size_t outer)
{
    for (size_t w = 0; w < cuts->words; w++)
        if (cuts->items[inner].units[w] & ~cuts->items[outer].units[w]) return false;
    return true;
}

int clv_cuts_find(const clv_cuts *cuts, const clv_graph *g, const char *const *names, size_t n)
{
    CLV_AUTO(clv_free)
    uint64_t *wanted = clv_alloc_array(clv_bit_words(g->n_tensors), sizeof *wanted);
    size_t n_wanted = 0;
    for (size_t i = 0; i < n; i++) {
        int t = clv_graph_tensor_index(g, names[i]);
        if (t < 0) return -1;
        n_wanted += !clv_bit_has(wanted, (size_t)t);
        clv_bit_set(wanted, (size_t)t);
    }
    for (size_t c = cuts->n; c-- > 0;) {
        const clv_cut *cut = &cuts->items[c];
        size_t k = 0;
        if (cut->n_live != n_wanted) continue;
        while (k < n_wanted && clv_bit_has(wanted, (size_t)cut->live[k])) k++;
        if (k == n_wanted) return (int)c;
    }
    return -1;
}

/* A text that is too long: the end of its first name, which tells most, and what tells it from
 * others that begin alike. */
static char *shortened(const char *first, size_t n_live, const char *whole)
{
    enum { TAIL = CLV_CUT_LABEL_MAX - 40 }; /* "...", "+16383 more", "#" and 8 hex digits */
    uint32_t h = 0x811c9dc5u;
    for (const char *c = whole; *c; c++) h = (h ^ (unsigned char)*c) * 0x01000193u;
    size_t n = strlen(first);
    bool cut = n > TAIL;
    if (cut) first += n - TAIL;
    while (((unsigned char)*first & 0xc0) == 0x80) first++; /* not within a character */
    clv_buf b = {0};
    clv_buf_printf(&b, "%s%s", cut ? "..." : "", first);
    if (n_live > 1) clv_buf_printf(&b, "+%zu more", n_live - 1);
    clv_buf_printf(&b, "#%08x", h);
    return clv_buf_take(&b);
}

char *clv_cut_label(const clv_cuts *cuts, const clv_graph *g, size_t cut)
{
    const clv_cut *c = &cuts->items[cut];
    if (cut == 0) return clv_strdup("input");
    if (cut == cuts->n - 1) return clv_strdup("output");
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    for (size_t i = 0; i < c->n_live; i++)
        clv_buf_printf(&b, i ? "+%s" : "%s", g->tensors[c->live[i]].name);
    if (b.len <= CLV_CUT_LABEL_MAX) return clv_buf_take(&b);
    return shortened(g->tensors[c->live[0]].name, c->n_live, b.data);
}
