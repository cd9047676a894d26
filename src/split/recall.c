#include "split/recall.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct clv_recall {
    atomic_int refs;
    pthread_mutex_t lock; /* guards the rest */
    bool asked;
    void (*fn)(void *arg);
    void *arg;
};

clv_recall *clv_recall_new(void)
{
    clv_recall *r = clv_alloc(sizeof *r);
    atomic_init(&r->refs, 1);
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

clv_recall *clv_recall_ref(clv_recall *r)
{
    if (r) atomic_fetch_add(&r->refs, 1);
    return r;
}

void clv_recall_unref(void *recall)
{
    clv_recall *r = recall;
    if (!r || atomic_fetch_sub(&r->refs, 1) > 1) return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* Under the lock: tell once. */
static void tell(clv_recall *r)
{
    void (*fn)(void *) = r->fn;
    r->fn = NULL;
    if (r->asked && fn) fn(r->arg);
}

void clv_recall_ask(clv_recall *r)
{
    if (!r) return;
    pthread_mutex_lock(&r->lock);
    r->asked = true;
    tell(r);
    pthread_mutex_unlock(&r->lock);
}

void clv_recall_watch(clv_recall *r, void (*fn)(void *arg), void *arg)
{
    if (!r) return;
    pthread_mutex_lock(&r->lock);
    r->fn = fn;
    r->arg = arg;
    if (r->asked) tell(r);
    pthread_mutex_unlock(&r->lock);
}
