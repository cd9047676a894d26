/* The two halves of a body's life inside net/: collecting what arrives, and handing out what is
 * sent. http.h has the face that other rooms see.
 *
 *     clv_body *b = clv_body_new();
 *     clv_body_append(b, bytes, n, hint, max, &err);    // grows, 64-byte aligned, bounded
 *     clv_body_unref(b);
 *
 *     clv_outbody *o = clv_outbody_new(slices, n);      // copies the array, not the bytes
 *     clv_outbody_queue(o, outq, 16384);                // the next 16384 bytes go to the socket
 *     clv_outbody_unref(o);                             // releases the slices with the last ref
 *
 * A peer that announces much and sends little must not cost memory: `hint` (a content-length, or
 * the length in a gRPC prefix) is believed up to CLV_BODY_TRUST bytes, beyond that the buffer
 * only grows to twice what really arrived.
 */
#ifndef CLV_NET_BODY_H
#define CLV_NET_BODY_H

#include "net/http.h"
#include "net/outq.h"

enum { CLV_BODY_TRUST = 1 << 20 };

clv_body *clv_body_new(void);
/* `hint`: bytes that the whole body is expected to have, 0 unknown. CLV_ELIMIT past `max` or
 * without memory. Only while the body has one owner. */
CLV_MUST
clv_status clv_body_append(clv_body *b, const void *bytes, size_t n, size_t hint, size_t max,
                           clv_error *err);

/* Where the next bytes may be put already, so that appending them copies nothing; `*n`: how many have
 * room. Valid until the body changes. */
unsigned char *clv_body_room(clv_body *b, size_t *n);

/* A body on its way out. All on the loop's thread, except _new. */
typedef struct clv_outbody clv_outbody;
clv_outbody *clv_outbody_new(const clv_slice *slices, size_t n);
clv_outbody *clv_outbody_ref(clv_outbody *o);
void clv_outbody_unref(clv_outbody *o); /* NULL is fine */
size_t clv_outbody_bytes(const clv_outbody *o);
size_t clv_outbody_left(const clv_outbody *o);                 /* not yet queued */
void clv_outbody_queue(clv_outbody *o, clv_outq *q, size_t n); /* n <= left; refs are kept */
/* When the last byte left the queue, monotonic; 0 before. */
int64_t clv_outbody_sent_us(const clv_outbody *o);

#endif
