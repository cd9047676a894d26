#include "net/body.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, FIRST_BYTES = 4096 };

struct clv_body {
    atomic_int refs;
    size_t bytes, cap;
    unsigned char *raw;  /* from realloc: large ones are moved by remapping, not by copying */
    unsigned char *data; /* the aligned start inside `raw` */
};

clv_body *clv_body_new(void)
{
    clv_body *b = clv_alloc(sizeof *b);
    atomic_init(&b->refs, 1);
    return b;
}

const void *clv_body_data(const clv_body *b)
{
    static const _Alignas(ALIGNMENT) unsigned char nothing[ALIGNMENT];
    return b->data ? b->data : nothing;
}
size_t clv_body_bytes(const clv_body *b)
{
    return b->bytes;
}

clv_body *clv_body_ref(clv_body *b)
{
    atomic_fetch_add(&b->refs, 1);
    return b;
}

void clv_body_unref(void *body)
{
    clv_body *b = body;
    if (!b || atomic_fetch_sub(&b->refs, 1) != 1) return;
    free(b->raw);
    free(b);
}

static clv_status reserve(clv_body *b, size_t cap, clv_error *err)
{
    unsigned char *raw = realloc(b->raw, cap + ALIGNMENT);
    if (!raw) return clv_fail(err, CLV_ELIMIT, "no memory for a body of %zu bytes", cap);
    size_t old_offset = b->raw ? (size_t)(b->data - b->raw) : 0;
    size_t offset = (ALIGNMENT - (uintptr_t)raw % ALIGNMENT) % ALIGNMENT;
    if (b->bytes && offset != old_offset) memmove(raw + offset, raw + old_offset, b->bytes);
    b->raw = raw;
    b->data = raw + offset;
    b->cap = cap;
    return CLV_OK;
}

clv_status clv_body_append(clv_body *b, const void *bytes, size_t n, size_t hint, size_t max,
                           clv_error *err)
{
    if (n > max || b->bytes > max - n) {
        return clv_fail(err, CLV_ELIMIT, "body is larger than the limit of %zu bytes", max);
    }
    size_t need = b->bytes + n;
    if (need > b->cap) {
        size_t trusted = CLV_MIN(hint, CLV_MAX((size_t)CLV_BODY_TRUST, 2 * need));
        size_t cap = CLV_MAX(CLV_MAX(trusted, need), (size_t)FIRST_BYTES);
        if (need > trusted) cap = CLV_MAX(cap, CLV_MIN(2 * need, max));
        clv_status status = reserve(b, cap, err);
        if (status) return status;
    }
    if (n && bytes != b->data + b->bytes) memmove(b->data + b->bytes, bytes, n);
    b->bytes = need;
    return CLV_OK;
}

unsigned char *clv_body_room(clv_body *b, size_t *n)
{
    *n = b->cap - b->bytes;
    return *n ? b->data + b->bytes : NULL;
}

struct clv_outbody {
    int refs;
    size_t total, queued;
    size_t at, at_offset; /* the slice that is queued next, and how much of it went already */
    int64_t sent_us;
    size_t n;
    clv_slice slices[];
};

clv_outbody *clv_outbody_new(const clv_slice *slices, size_t n)
{
    clv_outbody *o = clv_alloc(sizeof *o + n * sizeof *slices);
    o->refs = 1;
    o->n = n;
    for (size_t i = 0; i < n; i++) {
        o->slices[i] = slices[i];
        o->total += slices[i].bytes;
    }
    return o;
}

clv_outbody *clv_outbody_ref(clv_outbody *o)
{
    o->refs++;
    return o;
}

void clv_outbody_unref(clv_outbody *o)
{
    if (!o || --o->refs) return;
    for (size_t i = 0; i < o->n; i++) {
        if (o->slices[i].release) o->slices[i].release(o->slices[i].owner);
    }
    free(o);
}

static void piece_sent(void *owner)
{
    clv_outbody_unref(owner);
}

static void last_piece_sent(void *owner)
{
    clv_outbody *o = owner;
    o->sent_us = clv_now_us();
    clv_outbody_unref(o);
}

size_t clv_outbody_bytes(const clv_outbody *o)
{
    return o->total;
}
size_t clv_outbody_left(const clv_outbody *o)
{
    return o->total - o->queued;
}
int64_t clv_outbody_sent_us(const clv_outbody *o)
{
    return o->sent_us;
}

void clv_outbody_queue(clv_outbody *o, clv_outq *q, size_t n)
{
    assert(n <= o->total - o->queued);
    while (n) {
        const clv_slice *s = &o->slices[o->at];
        size_t part = CLV_MIN(n, s->bytes - o->at_offset);
        if (part) {
            o->queued += part;
            bool last = o->queued == o->total;
            clv_outq_slice(q, (clv_slice){.data = (const unsigned char *)s->data + o->at_offset,
                                          .bytes = part,
                                          .release = last ? last_piece_sent : piece_sent,
                                          .owner = clv_outbody_ref(o)});
            n -= part;
            o->at_offset += part;
        }
        if (o->at_offset == s->bytes) {
            o->at++;
            o->at_offset = 0;
        }
    }
}
