/* Inside net/: an HTTP/2 session over nghttp2, the same for server and client. It eats bytes and
 * fills an output queue; it never sees a socket.
 *
 *     clv_http2 *h = clv_http2_new(true, out, &ops, me);
 *     clv_http2_receive(h, bytes, n, &err);      // calls ops
 *     clv_http2_produce(h);                      // frames into `out`, up to its high water mark
 *     clv_http2_free(h);                         // ops->closed for each stream that is left
 *
 * Large bodies are not copied: a DATA frame is nine bytes and slices of the body behind them.
 * Frames take some milliseconds each (clv_http2_pace), windows are large (a tensor must cross a long
 * link in one round trip, not in 64 KiB steps), and flow control advances only after ops->data has
 * returned, so that a slow sink holds back its peer.
 *
 * Bodies of requests go out one after the other, not in turns: the first one is there as early as
 * can be, none later than in turns, and how long one took tells of the link (measure/link_turns.h).
 * Each request is made to depend on the one before it (RFC 7540, 5.3), which also asks the peer for
 * answers in that order as far as it has them; a peer may ignore it.
 *
 * Re-entrancy: nghttp2 closes streams while it sends. Objects that ops->closed gives back must not
 * be touched after _produce or _receive. All other functions may be called from inside ops. A
 * client that opens and resets streams in a row is cut off at the reset past CLV_HTTP2_RESETS_BURST
 * (CVE-2023-44487). nghttp2 has that limit too, but goes on with what it was given until its GOAWAY
 * is sent: thousands of requests, when they were read at once or the peer takes no output. Threads:
 * the loop's. Source: RFC 9113.
 */
#ifndef CLV_NET_HTTP2_H
#define CLV_NET_HTTP2_H

#include "net/body.h"
#include "net/headers.h"

#include <stdbool.h>

enum {
    CLV_HTTP2_PREFACE_BYTES = 24,
    CLV_HTTP2_FRAME_BYTES_MIN = 16 * 1024,   /* sent, see clv_http2_pace() */
    CLV_HTTP2_FRAME_BYTES = 256 * 1024,      /* sent while the rate is not known */
    CLV_HTTP2_FRAME_BYTES_MAX = 1024 * 1024, /* sent, and taken, at most */
    CLV_HTTP2_FRAME_US = 10000,
    CLV_HTTP2_STREAM_WINDOW = 16 << 20,
    CLV_HTTP2_WINDOW = 64 << 20,
    CLV_HTTP2_LINGER_BYTES = 4 << 20, /* of a request, read and dropped behind its answer */
    CLV_HTTP2_RESETS_BURST = 1000,    /* streams that a client may reset in a row ... */
    CLV_HTTP2_RESETS_PER_S = 33,      /* ... and on and on; both as nghttp2 has them */
};
extern const char clv_http2_preface[CLV_HTTP2_PREFACE_BYTES + 1];

typedef struct clv_http2 clv_http2;
typedef struct clv_http2_ops {
    /* Server: a request starts. Returns the stream's object. */
    void *(*begin)(void *arg, int32_t id);
    void (*header)(void *stream, const char *name, size_t name_n, const char *value,
                   size_t value_n);
    void (*headers_end)(void *stream); /* of each block: also of 1xx replies and of trailers */
    void (*data)(void *stream, const unsigned char *bytes, size_t n);
    /* Where the next of these bytes may be read to, for *n of them. NULL: nowhere. */
    unsigned char *(*room)(void *stream, size_t *n);
    void (*end)(void *stream); /* the peer has sent everything */
    /* The object's last call. `code`: HTTP/2 error code, 0 for a regular end. */
    void (*closed)(void *stream, uint32_t code);
    void (*settings)(void *arg); /* the peer's first: it does speak HTTP/2. May be NULL */
    void (*goaway)(void *arg);   /* no more streams on this session. May be NULL */
} clv_http2_ops;

clv_http2 *clv_http2_new(bool server, clv_outq *out, const clv_http2_ops *ops, void *arg);
void clv_http2_free(clv_http2 *h);
/* CLV_EPROTO: the connection is to be closed, after what can be sent of `out`. */
CLV_MUST
clv_status clv_http2_receive(clv_http2 *h, const unsigned char *bytes, size_t n, clv_error *err);
/* How many bytes are missing of the frame that has begun to arrive: nothing else can come before them. */
size_t clv_http2_missing(const clv_http2 *h);
/* Where to read the next `*n` bytes to, so that they need not be copied: many of a body's are
 * missing. NULL: nowhere. Then they go to clv_http2_receive() at once. */
unsigned char *clv_http2_room(clv_http2 *h, size_t *n);
void clv_http2_produce(clv_http2 *h);
/* What is sent from now on has frames that take about CLV_HTTP2_FRAME_US at this rate, if the peer
 * takes them: what is urgent (a PING, a reset) waits for one at most, and a reader on a fast link
 * is woken once for all. 0: the rate is not known. */
void clv_http2_pace(clv_http2 *h, double bytes_per_s);
/* Nothing more will come or go. */
bool clv_http2_is_over(const clv_http2 *h);

/* Client: start a request; `fields` begin with the pseudo fields. Takes a reference on `body`. The
 * stream's id, or -1 when the session takes no more (then no op is called). */
int32_t clv_http2_request(clv_http2 *h, const clv_headers *fields, clv_outbody *body, void *stream);
/* Server: answer a stream; `fields` begin with ":status". References `body`, copies `trailers`. */
void clv_http2_respond(clv_http2 *h, int32_t id, const clv_headers *fields, clv_outbody *body,
                       const clv_headers *trailers);
void clv_http2_continue(clv_http2 *h, int32_t id); /* "100 Continue" */
void clv_http2_reset(clv_http2 *h, int32_t id, uint32_t code);
/* Returns how many bytes of a body, at most, still go before it: a frame that was begun is ended. */
size_t clv_http2_ping(clv_http2 *h);
/* Two steps of going away: announce, and (a round trip later) refuse new streams. */
void clv_http2_announce_goaway(clv_http2 *h);
void clv_http2_goaway(clv_http2 *h);
const char *clv_http2_code_text(uint32_t code);

enum { CLV_HTTP2_REFUSED = 7, CLV_HTTP2_CANCEL = 8, CLV_HTTP2_INTERNAL = 2 };

#endif
