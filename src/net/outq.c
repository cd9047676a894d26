#include "net/outq.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 4096 };

struct clv_outq_entry {
    const unsigned char *data;
    size_t bytes;
    size_t room; /* of a chunk of copied bytes: what still fits behind `bytes` */
    void (*release)(void *owner);
    void *owner;
};

static clv_outq_entry *at(const clv_outq *q, size_t i)
{
    return &q->items[(q->head + i) % q->cap];
}

static clv_outq_entry *push(clv_outq *q)
{
    if (q->n == q->cap) {
        size_t cap = q->cap ? 2 * q->cap : 16;
        clv_outq_entry *items = clv_alloc_array(cap, sizeof *items);
        for (size_t i = 0; i < q->n; i++) items[i] = *at(q, i);
        free(q->items);
        q->items = items;
        q->cap = cap;
        q->head = 0;
    }
    q->n++;
    return at(q, q->n - 1);
}

void clv_outq_copy(clv_outq *q, const void *bytes, size_t n)
{
    if (!n) return;
    q->bytes += n;
    clv_outq_entry *last = q->n ? at(q, q->n - 1) : NULL;
    if (last && last->room >= n) {
        /* The chunk is the queue's own heap memory behind a const view. */
        memcpy((char *)last->owner + ((const char *)last->data - (char *)last->owner) + last->bytes,
               bytes, n);
        last->bytes += n;
        last->room -= n;
        return;
    }
    size_t cap = CLV_MAX(n, (size_t)CHUNK_BYTES);
    unsigned char *chunk = clv_alloc(cap);
    memcpy(chunk, bytes, n);
    *push(q) = (clv_outq_entry){
        .data = chunk, .bytes = n, .room = cap - n, .release = free, .owner = chunk};
}

void clv_outq_slice(clv_outq *q, clv_slice slice)
{
    if (!slice.bytes) {
        if (slice.release) slice.release(slice.owner);
        return;
    }
    q->bytes += slice.bytes;
    *push(q) = (clv_outq_entry){
        .data = slice.data, .bytes = slice.bytes, .release = slice.release, .owner = slice.owner};
}

int clv_outq_iov(const clv_outq *q, struct iovec *iov, int max)
{
    int n = 0;
    for (; n < max && (size_t)n < q->n; n++) {
        const clv_outq_entry *e = at(q, (size_t)n);
        iov[n] = (struct iovec){.iov_base = (void *)(uintptr_t)e->data, .iov_len = e->bytes};
    }
    return n;
}

void clv_outq_advance(clv_outq *q, size_t n)
{
    q->bytes -= n;
    while (q->n) {
        clv_outq_entry *e = at(q, 0);
        if (n < e->bytes) {
            e->data += n;
            e->bytes -= n;
            return;
        }
        n -= e->bytes;
        clv_outq_entry gone = *e;
        q->head = (q->head + 1) % q->cap;
        q->n--;
        if (gone.release) gone.release(gone.owner); /* may queue more: `e` is stale now */
        if (!n) return;
    }
}

void clv_outq_done(clv_outq *q)
{
    if (q->bytes) clv_outq_advance(q, q->bytes);
    free(q->items);
    *q = (clv_outq){0};
}
