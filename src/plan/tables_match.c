/* Which cut of a profile is which cut of the network, and which unit which. */
#include "base/mem.h"
#include "plan/tables_priv.h"

#include <stdlib.h>
#include <string.h>

/* A cut is known by its set of live tensors. The key is a hash of that set, the same in any order:
 * the sum of the names' FNV-1a hashes. Equal keys are compared name by name. */
typedef struct cut_key {
    uint64_t hash;
    size_t index;
} cut_key;

static uint64_t hash_of(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        h = (h ^ *p) * 0x100000001b3u;
    return h;
}

static int by_hash(const void *a, const void *b)
{
    const cut_key *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Of all cuts but the first and the last, which are what they are whatever is live there. */
static cut_key *keys_of(const clv_profile *p, size_t *n)
{
    *n = p->n_cuts - 2;
    cut_key *keys = clv_alloc_array(*n, sizeof *keys);
    for (size_t i = 0; i < *n; i++) {
        const clv_profile_cut *c = &p->cuts[i + 1];
        keys[i] = (cut_key){c->n_live, i + 1};
        for (size_t k = 0; k < c->n_live; k++) keys[i].hash += hash_of(c->live[k]);
    }
    qsort(keys, *n, sizeof *keys, by_hash);
    return keys;
}

static bool same_live(const clv_graph *g, const clv_cut *a, const clv_profile_cut *b)
{
    if (a->n_live != b->n_live) return false;
    for (size_t i = 0; i < a->n_live; i++) {
        size_t k = 0;
        while (k < b->n_live && strcmp(g->tensors[a->live[i]].name, b->live[k]) != 0) k++;
        if (k == b->n_live) return false;
    }
    return true;
}

/* First key that is not below `hash`. */
static size_t lower_bound(const cut_key *keys, size_t n, uint64_t hash)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (keys[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int *clv_tables_match(const clv_graph *g, const clv_cuts *cuts, const clv_profile *p)
{
    CLV_AUTO(clv_free) uint64_t *hashes = clv_alloc_array(g->n_tensors, sizeof *hashes);
    for (size_t t = 0; t < g->n_tensors; t++) hashes[t] = hash_of(g->tensors[t].name);
    size_t n;
    CLV_AUTO(clv_free) cut_key *keys = keys_of(p, &n);
    int *at = clv_alloc_array(cuts->n, sizeof *at);
    for (size_t i = 1; i + 1 < cuts->n; i++) {
        const clv_cut *cut = &cuts->items[i];
        uint64_t hash = cut->n_live;
        for (size_t k = 0; k < cut->n_live; k++) hash += hashes[cut->live[k]];
        at[i] = -1;
        for (size_t k = lower_bound(keys, n, hash); k < n && keys[k].hash == hash; k++)
            if (same_live(g, cut, &p->cuts[keys[k].index])) {
                at[i] = (int)keys[k].index;
                break;
            }
    }
    at[0] = 0;
    at[cuts->n - 1] = (int)p->n_cuts - 1;
    return at;
}

typedef struct named_time {
    const char *name;
    double us;
} named_time;

static int by_name(const void *a, const void *b)
{
    const named_time *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* The units' times by their names; false when the profile lacks one of the graph's units. */
static bool units_by_name(const clv_graph *g, const clv_profile *p, int64_t *ns)
{
    CLV_AUTO(clv_free) named_time *times = clv_alloc_array(p->n_units, sizeof *times);
    for (size_t i = 0; i < p->n_units; i++)
        times[i] = (named_time){p->units[i].name, p->units[i].us};
    qsort(times, p->n_units, sizeof *times, by_name);
    for (size_t u = 0; u < g->n_units; u++) {
        named_time key = {.name = g->units[u].name},
                   *found = bsearch(&key, times, p->n_units, sizeof key, by_name);
        if (!found) return false;
        ns[u] = clv_tables_ns(found->us);
    }
    return p->n_units == g->n_units;
}

static double whole_us(const clv_profile *p)
{
    const clv_time *prefix = &p->cuts[p->n_cuts - 1].prefix;
    return prefix->n ? prefix->us : p->cuts[0].suffix.us;
}

int64_t *clv_tables_units(const clv_plan_sources *from, size_t device)
{
    const clv_graph *g = from->graph;
    const clv_profile *p = from->profiles[device], *first = from->profiles[0];
    CLV_AUTO(clv_free) int64_t *ns = clv_alloc_array(g->n_units, sizeof *ns);
    if (units_by_name(g, p, ns)) return clv_steal(&ns);
    if (device == 0 || !units_by_name(g, first, ns)) return NULL;
    double ratio = whole_us(first) > 0 ? whole_us(p) / whole_us(first) : 0;
    for (size_t u = 0; u < g->n_units; u++) ns[u] = clv_tables_ns((double)ns[u] * ratio / 1000);
    return clv_steal(&ns);
}
