/* The queue of bytes that wait for a socket: large pieces by reference, small ones copied together.
 * The protocols write into it and never see a socket; so they can be tested and fuzzed without one.
 *
 *     clv_outq q = {0};                     // a zeroed queue is valid and empty
 *     clv_outq_copy(&q, "HTTP/1.1 ", 9);
 *     clv_outq_slice(&q, slice);            // released when its last byte was written, or dropped
 *     int n = clv_outq_iov(&q, iov, 64);
 *     clv_outq_advance(&q, (size_t)writev(fd, iov, n));
 *     clv_outq_done(&q);                    // releases what is left
 *
 * Threads: the loop's.
 */
#ifndef CLV_NET_OUTQ_H
#define CLV_NET_OUTQ_H

#include "net/http.h"

#include <sys/uio.h>

typedef struct clv_outq_entry clv_outq_entry;
typedef struct clv_outq {
    clv_outq_entry *items; /* ring */
    size_t head, n, cap;
    size_t bytes; /* waiting in all */
} clv_outq;

void clv_outq_copy(clv_outq *q, const void *bytes, size_t n);
void clv_outq_slice(clv_outq *q, clv_slice slice); /* takes the slice, also an empty one */
int clv_outq_iov(const clv_outq *q, struct iovec *iov, int max);
void clv_outq_advance(clv_outq *q, size_t n); /* n bytes were written */
void clv_outq_done(clv_outq *q);

#endif
