/* Inside net/: one connection of a client, from looking up the name to its end: dial, shake hands,
 * HTTP/2, and watch that the peer lives.
 *
 *     clv_channel *s = clv_channel_new(loop, &options, &ops, client);
 *     clv_channel_start(s, flight);        // once ops->ready was called
 *     clv_channel_free(s);                 // its flights fail with `err`
 *
 * Ends with ops->failed (once; then the owner frees it). ops->going says that the peer takes no
 * more calls on it; what is under way still ends. All ops come on the loop's thread and never from
 * inside a function of this header, but for `over`.
 *
 * Is the peer alive? While flights are under way and nothing arrives, and after them until something
 * does (they may have been given up), a PING is sent. The channel
 * fails when nothing has arrived for `dead_after_us` and, in that time, the peer's kernel has
 * acknowledged nothing of what was sent up to that PING: on a slow link a PING waits behind a large
 * body, which must not look like death; but the kernel of a stopped process acknowledges too, as
 * long as its buffers last. Over a Unix-domain socket acknowledged is what the peer itself has read
 * (net/path.h).
 */
#ifndef CLV_NET_CHANNEL_H
#define CLV_NET_CHANNEL_H

#include "net/flight.h"
#include "net/tls.h"
#include "net/url.h"

typedef struct clv_channel_options {
    clv_url url;
    SSL_CTX *tls; /* for https */
    int64_t connect_timeout_us, dead_after_us;
} clv_channel_options;

typedef struct clv_channel_ops {
    void (*ready)(void *arg, clv_channel *s);
    void (*met)(void *arg, clv_channel *s); /* the peer does speak HTTP/2 */
    void (*going)(void *arg, clv_channel *s);
    void (*failed)(void *arg, clv_channel *s, const clv_error *err);
    void (*over)(void *arg, clv_flight *f);   /* its `over` is true now */
    void (*closed)(void *arg, clv_flight *f); /* its `stream` is 0 now */
    void (*settled)(void *arg); /* a turn of input is over: a good time for `done`s. The channel
                                   may be freed in it */
} clv_channel_ops;

clv_channel *clv_channel_new(clv_loop *loop, const clv_channel_options *o,
                             const clv_channel_ops *ops, void *arg);
void clv_channel_free(clv_channel *s, const clv_error *err);
void clv_channel_start(clv_channel *s, clv_flight *f);
void clv_channel_cancel(clv_channel *s, clv_flight *f); /* reset its stream */
void clv_channel_flush(clv_channel *s);
bool clv_channel_was_met(const clv_channel *s); /* has the peer ever spoken HTTP/2? */
bool clv_channel_is_ready(const clv_channel *s);
size_t clv_channel_flights(const clv_channel *s);
clv_path_info clv_channel_path(const clv_channel *s);

#endif
