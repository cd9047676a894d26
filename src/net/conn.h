/* A connected socket, TCP (plain or TLS) or Unix-domain: what arrives is handed up as bytes, what waits in its output
 * queue is written when the socket takes it.
 *
 *     static const clv_conn_ops ops = {.open = open, .read = read, .produce = produce, .end = end};
 *     clv_conn *c = clv_conn_accept(loop, fd, tls_context, &ops, me);
 *     clv_outq_slice(clv_conn_out(c), slice);
 *     clv_conn_flush(c);
 *     clv_conn_free(c);            // at any time, also from inside a callback; no callback follows
 *
 * Output is pulled: when little is queued, clv_conn_flush() asks `produce` to put more into the
 * queue, so that a protocol with much to say is not held in memory. Input can be paused, which
 * lets the kernel hold the peer back. Threads: the loop's.
 */
#ifndef CLV_NET_CONN_H
#define CLV_NET_CONN_H

#include "net/caller.h"
#include "net/loop.h"
#include "net/outq.h"
#include "net/tls.h"

#include <sys/socket.h>

enum {
    CLV_CONN_LOW_WATER = 64 * 1024,   /* `produce` is asked below this */
    CLV_CONN_HIGH_WATER = 256 * 1024, /* and should stop above this */
    CLV_CONN_AWAIT_US = 1000,
    CLV_CONN_AWAIT_BYTES_MAX = 1024 * 1024,
    CLV_CONN_AWAIT_FEW = 64 * 1024, /* as few as these are waited for, */
    CLV_CONN_AWAIT_FEW_US = 4000,   /* so long */
};

typedef struct clv_conn clv_conn;
typedef struct clv_conn_ops {
    void (*open)(void *arg); /* connected and, with TLS, shaken hands. May be NULL */
    /* Where `read` wants the next bytes, if there: *n of them at most. NULL: it does not mind. May be
     * NULL itself. */
    unsigned char *(*room)(void *arg, size_t *n);
    void (*read)(void *arg, const unsigned char *bytes, size_t n);
    void (*produce)(void *arg);
    /* The peer closed (err->status CLV_OK) or the connection failed; once, never from inside
     * clv_conn_flush(). The owner frees the connection. */
    void (*end)(void *arg, const clv_error *err);
} clv_conn_ops;

/* Both take `fd`. A context makes it TLS; `host` is whom a client expects, for TLS. */
clv_conn *clv_conn_accept(clv_loop *loop, int fd, SSL_CTX *tls, const clv_conn_ops *ops, void *arg);
/* Starts to connect; failure is told by `end`. */
clv_conn *clv_conn_connect(clv_loop *loop, const struct sockaddr *address, socklen_t address_n,
                           SSL_CTX *tls, const char *host, const clv_conn_ops *ops, void *arg);
void clv_conn_free(clv_conn *c); /* NULL is fine */

clv_outq *clv_conn_out(clv_conn *c);
void clv_conn_flush(clv_conn *c);
void clv_conn_pause(clv_conn *c, bool paused); /* reading */
/* Called from `read`: so many bytes must come before anything else can, as the rest of a frame.
 * On plain TCP the kernel then wakes the loop for many of them at once (SO_RCVLOWAT): a waking a
 * segment costs both ends of a fast link more than the copying, and who computes beside it. But
 * only for as many as come within CLV_CONN_AWAIT_US at the rate of the last read, or for
 * CLV_CONN_AWAIT_FEW within CLV_CONN_AWAIT_FEW_US: who looks when bytes last came sees a slow link
 * move, and what came is copied while the rest is on its way. */
void clv_conn_await(clv_conn *c, size_t bytes);
/* That decision: `read_bytes` came last, `gap_us` after those before. 1 at least. */
int clv_conn_low_water(size_t missing, size_t read_bytes, int64_t gap_us);
/* Write what is queued, then say goodbye and throw away what still arrives until the peer closes:
 * a peer in the middle of a large upload then reads the answer instead of a reset. */
void clv_conn_finish(clv_conn *c);

int clv_conn_fd(const clv_conn *c);
bool clv_conn_is_open(const clv_conn *c);  /* connected and shaken hands */
bool clv_conn_is_http2(const clv_conn *c); /* chosen by ALPN */
bool clv_conn_is_tls(const clv_conn *c);
const clv_caller *clv_conn_peer(const clv_conn *c); /* whole once it is open */
/* Monotonic: when bytes last came, and when the socket last took some. Their start: its making. */
int64_t clv_conn_read_us(const clv_conn *c);
int64_t clv_conn_write_us(const clv_conn *c);
uint64_t clv_conn_written_bytes(const clv_conn *c); /* in all, to the socket; of TLS: before it */

#endif
