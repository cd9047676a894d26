#include "policy/fair.h"

#include "base/mem.h"

#include <stdlib.h>

static bool before(const clv_fair_entry *a, const clv_fair_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->sequence < b->sequence;
}

static int64_t key_of(const clv_fair_job *job)
{
    return job->deadline_us ? job->deadline_us : job->since_us + CLV_FAIR_PATIENCE_US;
}

static int64_t cost_of(const clv_fair_job *job)
{
    return CLV_MAX(job->cost_us, 1);
}

/* ---- an asker's heap ---- */

static void sift_up(clv_fair_asker *a, size_t i)
{
    for (; i && before(&a->heap[i], &a->heap[(i - 1) / 2]); i = (i - 1) / 2) {
        clv_fair_entry t = a->heap[i];
        a->heap[i] = a->heap[(i - 1) / 2];
        a->heap[(i - 1) / 2] = t;
    }
}

static void sift_down(clv_fair_asker *a, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < a->n; child++)
            if (before(&a->heap[child], &a->heap[least])) least = child;
        if (least == i) return;
        clv_fair_entry t = a->heap[i];
        a->heap[i] = a->heap[least];
        a->heap[least] = t;
        i = least;
    }
}

static clv_fair_job take(clv_fair *q, clv_fair_asker *a, size_t i)
{
    clv_fair_job job = a->heap[i].job;
    a->heap[i] = a->heap[--a->n];
    if (i < a->n) {
        sift_down(a, i);
        sift_up(a, i);
    }
    q->n--;
    return job;
}

/* ---- accounts ---- */

static clv_fair_asker *find(const clv_fair *q, uint64_t id)
{
    for (size_t i = 0; i < q->n_askers; i++)
        if (q->askers[i].id == id) return &q->askers[i];
    return NULL;
}

static clv_fair_asker *find_or_add(clv_fair *q, uint64_t id)
{
    clv_fair_asker *a = find(q, id);
    if (a) return a;
    clv_grow(&q->askers, &q->cap_askers, q->n_askers + 1, sizeof *q->askers);
    a = &q->askers[q->n_askers++];
    *a = (clv_fair_asker){.id = id, .account_us = q->least_us};
    return a;
}

/* The least account follows those who wait; whoever has nothing here and no debt is forgotten. */
static void advance(clv_fair *q)
{
    int64_t least = INT64_MAX, most = q->least_us;
    for (size_t i = 0; i < q->n_askers; i++) {
        if (q->askers[i].n) least = CLV_MIN(least, q->askers[i].account_us);
        most = CLV_MAX(most, q->askers[i].account_us);
    }
    q->least_us = CLV_MAX(q->least_us, q->n ? least : most);
    for (size_t i = q->n_askers; i-- > 0;) {
        if (q->askers[i].n || q->askers[i].account_us > q->least_us) continue;
        free(q->askers[i].heap);
        q->askers[i] = q->askers[--q->n_askers];
    }
}

static clv_fair_job charge(clv_fair *q, clv_fair_asker *a, size_t i)
{
    clv_fair_job job = take(q, a, i);
    a->account_us += cost_of(&job);
    advance(q);
    return job;
}

static bool eligible(const clv_fair *q, const clv_fair_asker *a)
{
    return a->account_us <= q->least_us + CLV_FAIR_BURST_US;
}

/* ---- the queue ---- */

void clv_fair_done(clv_fair *q)
{
    for (size_t i = 0; i < q->n_askers; i++) free(q->askers[i].heap);
    free(q->askers);
    *q = (clv_fair){0};
}

void clv_fair_push(clv_fair *q, const clv_fair_job *job)
{
    clv_fair_asker *a = find_or_add(q, job->asker);
    if (!a->n) a->account_us = CLV_MAX(a->account_us, q->least_us);
    clv_grow(&a->heap, &a->cap, a->n + 1, sizeof *a->heap);
    a->heap[a->n++] = (clv_fair_entry){.job = *job, .key = key_of(job), .sequence = q->arrivals++};
    q->n++;
    sift_up(a, a->n - 1);
}

bool clv_fair_pop(clv_fair *q, clv_fair_job *out)
{
    clv_fair_asker *best = NULL;
    for (size_t i = 0; i < q->n_askers; i++) {
        clv_fair_asker *a = &q->askers[i];
        if (a->n && eligible(q, a) && (!best || before(&a->heap[0], &best->heap[0]))) best = a;
    }
    if (!best) return false;
    *out = charge(q, best, 0);
    return true;
}

/* The asker's first of this kind; n: none. */
static size_t first_alike(const clv_fair_asker *a, const void *kind)
{
    size_t first = a->n;
    for (size_t i = 0; i < a->n; i++)
        if (a->heap[i].job.kind == kind && (first == a->n || before(&a->heap[i], &a->heap[first])))
            first = i;
    return first;
}

bool clv_fair_pop_alike(clv_fair *q, const void *kind, clv_fair_job *out)
{
    clv_fair_asker *best = NULL;
    size_t at = 0;
    for (size_t i = 0; kind && i < q->n_askers; i++) {
        clv_fair_asker *a = &q->askers[i];
        size_t first = first_alike(a, kind);
        if (first == a->n) continue;
        bool sooner = !best || (eligible(q, a) != eligible(q, best)
                                    ? eligible(q, a)
                                    : before(&a->heap[first], &best->heap[at]));
        if (!sooner) continue;
        best = a;
        at = first;
    }
    if (!best) return false;
    *out = charge(q, best, at);
    return true;
}

void clv_fair_settle(clv_fair *q, uint64_t asker, int64_t more_us)
{
    clv_fair_asker *a = find(q, asker);
    if (!a && more_us <= 0) return;
    a = find_or_add(q, asker);
    a->account_us = CLV_MAX(a->account_us + more_us, q->least_us);
    advance(q);
}

bool clv_fair_remove(clv_fair *q, const void *what, clv_fair_job *out)
{
    for (size_t i = 0; i < q->n_askers; i++)
        for (size_t k = 0; k < q->askers[i].n; k++) {
            if (q->askers[i].heap[k].job.what != what) continue;
            *out = take(q, &q->askers[i], k);
            advance(q);
            return true;
        }
    return false;
}

size_t clv_fair_count(const clv_fair *q, const void *kind)
{
    size_t n = 0;
    for (size_t i = 0; kind && i < q->n_askers; i++)
        for (size_t k = 0; k < q->askers[i].n; k++) n += q->askers[i].heap[k].job.kind == kind;
    return n;
}

/* Of an asker's jobs: all, or those before a key. */
static int64_t work_of(const clv_fair_asker *a, int64_t key)
{
    int64_t us = 0;
    for (size_t i = 0; i < a->n; i++)
        if (a->heap[i].key <= key) us += cost_of(&a->heap[i].job);
    return us;
}

int64_t clv_fair_work_us(const clv_fair *q)
{
    int64_t us = 0;
    for (size_t i = 0; i < q->n_askers; i++) us += work_of(&q->askers[i], INT64_MAX);
    return us;
}

int64_t clv_fair_ahead_us(const clv_fair *q, const clv_fair_job *job)
{
    const clv_fair_asker *own = find(q, job->asker);
    int64_t key = key_of(job), account = own ? CLV_MAX(own->account_us, q->least_us) : q->least_us;
    int64_t ahead = own ? work_of(own, key) : 0;
    account += ahead; /* when it is its turn */
    bool within = account <= q->least_us + CLV_FAIR_BURST_US;
    for (size_t i = 0; i < q->n_askers; i++) {
        const clv_fair_asker *a = &q->askers[i];
        if (a == own || !a->n) continue;
        int64_t share = CLV_MAX(account - a->account_us, 0) + CLV_FAIR_BURST_US;
        ahead += CLV_MIN(work_of(a, within ? key : INT64_MAX), share);
    }
    return ahead;
}
