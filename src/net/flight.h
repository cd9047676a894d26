/* Inside net/: one call of a client while it is under way: what is sent, what has come of the
 * reply, and the one `done` at its end.
 *
 *     clv_flight *f = clv_flight_new(&call, ...);
 *     clv_flight_fail(f, &err);       // or the reply completes: `over` becomes true, once
 *     clv_flight_land(f);             // calls `done`
 *     clv_flight_free(f);
 *
 * An HTTP/2 stream refers to its flight until the stream is closed, which may be later than `done`
 * (deadline, cancel): `stream` is not 0 that long, and the flight must not be freed. Threads: the
 * loop's, except _new.
 */
#ifndef CLV_NET_FLIGHT_H
#define CLV_NET_FLIGHT_H

#include "net/body.h"
#include "net/client.h"
#include "net/headers.h"

typedef struct clv_channel clv_channel;

typedef struct clv_flight {
    uint64_t id;
    clv_client *client;
    clv_headers fields; /* begin with the pseudo fields */
    clv_outbody *body;
    int64_t deadline_us;
    clv_timer *deadline;
    void (*done)(void *arg, const clv_reply *reply);
    void *arg;

    clv_channel *channel; /* that carries it, or NULL */
    int32_t stream;
    bool over; /* `error` or the whole reply is there */
    clv_error error;
    int status;
    bool has_headers; /* the final block: trailers may follow */
    clv_headers reply_fields;
    clv_body *reply;
    size_t reply_max, content_length;
    int64_t start_us, sent_us, first_byte_us, end_us;
    int64_t dial_us, connect_us;        /* there was no connection: since when, and for how long */
    struct clv_flight *previous, *next; /* in one of the client's lists */
} clv_flight;

clv_flight *clv_flight_new(const clv_call *call);
void clv_flight_free(clv_flight *f);
void clv_flight_fail(clv_flight *f, const clv_error *err); /* unless it is over */
/* What the stream brings. An error is returned when the stream is to be reset. */
CLV_MUST
clv_status clv_flight_header(clv_flight *f, const char *name, size_t name_n, const char *value,
                             size_t value_n, clv_error *err);
void clv_flight_headers_end(clv_flight *f);
CLV_MUST
clv_status clv_flight_data(clv_flight *f, const void *bytes, size_t n, clv_error *err);
void clv_flight_end(clv_flight *f);
void clv_flight_land(clv_flight *f);

#endif
