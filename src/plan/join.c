/* clv_plan_problem_join(): two profiles of one network into one table of cuts. */
#include "plan/plan.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A cut is known by its set of live tensors. The key is a hash of that set, the same in any order:
 * the sum of the names' FNV-1a hashes. Equal keys are compared name by name. */
typedef struct cut_key {
    uint64_t hash;
    size_t index;
} cut_key;

static uint64_t hash_of(const clv_profile_cut *c)
{
    uint64_t sum = c->n_live;
    for (size_t i = 0; i < c->n_live; i++) {
        uint64_t h = 0xcbf29ce484222325u;
        for (const unsigned char *p = (const unsigned char *)c->live[i]; *p; p++)
            h = (h ^ *p) * 0x100000001b3u;
        sum += h;
    }
    return sum;
}

static int by_hash(const void *a, const void *b)
{
    const cut_key *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static bool same_live(const clv_profile_cut *a, const clv_profile_cut *b)
{
    if (a->n_live != b->n_live) return false;
    for (size_t i = 0; i < a->n_live; i++) {
        size_t k = 0;
        while (k < b->n_live && strcmp(a->live[i], b->live[k]) != 0) k++;
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

/* Index in `cloud` of the measured suffix whose cut equals `cut`, or -1. */
static int find(const clv_profile *cloud, const cut_key *keys, const clv_profile_cut *cut)
{
    uint64_t hash = hash_of(cut);
    for (size_t k = lower_bound(keys, cloud->n_cuts, hash);
         k < cloud->n_cuts && keys[k].hash == hash; k++) {
        size_t i = keys[k].index;
        if (same_live(&cloud->cuts[i], cut) && clv_profile_has_suffix(cloud, i)) return (int)i;
    }
    return -1;
}

static clv_status check(const clv_profile *edge, const clv_profile *cloud, clv_error *err)
{
    if (strcmp(edge->digest, cloud->digest) != 0)
        return clv_fail(err, CLV_EMISMATCH,
                        "the profiles are of different models: edge '%s' %.12s, cloud '%s' %.12s",
                        edge->model, edge->digest, cloud->model, cloud->digest);
    if (edge->n_cuts < 2 || !clv_profile_has_prefix(edge, edge->n_cuts - 1))
        return clv_fail(err, CLV_EINVAL,
                        "the edge's profile of '%s' has no time of the whole network", edge->model);
    if (cloud->n_cuts < 2 || !clv_profile_has_suffix(cloud, 0))
        return clv_fail(err, CLV_EINVAL,
                        "the cloud's profile of '%s' has no time of the whole network",
                        cloud->model);
    return CLV_OK;
}

clv_status clv_plan_problem_join(const clv_profile *edge, const clv_profile *cloud,
                                 const clv_link *link, clv_plan_problem *out, clv_error *err)
{
    clv_status s = check(edge, cloud, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(clv_free) cut_key *keys = clv_alloc_array(cloud->n_cuts, sizeof *keys);
    for (size_t i = 0; i < cloud->n_cuts; i++) keys[i] = (cut_key){hash_of(&cloud->cuts[i]), i};
    qsort(keys, cloud->n_cuts, sizeof *keys, by_hash);
    clv_plan_problem p = {.cuts = clv_alloc_array(edge->n_cuts, sizeof *p.cuts), .link = *link};
    for (size_t i = 0; i < edge->n_cuts; i++) {
        const clv_profile_cut *c = &edge->cuts[i];
        int j = i == 0 ? 0 : i + 1 == edge->n_cuts ? (int)cloud->n_cuts - 1 : find(cloud, keys, c);
        if (j < 0 || !clv_profile_has_prefix(edge, i)) continue;
        p.cuts[p.n_cuts++] = (clv_plan_cut){.label = c->label,
                                            .edge_index = (int)i,
                                            .cloud_index = j,
                                            .edge_us = c->prefix.us,
                                            .cloud_us = cloud->cuts[j].suffix.us,
                                            .up_bytes = c->up_bytes,
                                            .down_bytes = c->down_bytes};
    }
    *out = p;
    return CLV_OK;
}

void clv_plan_problem_done(clv_plan_problem *p)
{
    free(p->cuts);
    *p = (clv_plan_problem){0};
}
