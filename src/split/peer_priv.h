/* What the files of the peer share: peer.c (life, link), peer_probe.c (what it asks of the link),
 * peer_infer.c (tensors) and peer_model.c (models). Private to split/. */
#ifndef CLV_SPLIT_PEER_PRIV_H
#define CLV_SPLIT_PEER_PRIV_H

#include "measure/link_monitor.h"
#include "measure/link_turns.h"
#include "measure/throughput.h"
#include "split/peer.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct clv_peer_watcher {
    clv_peer_change_fn fn;
    void *arg;
} clv_peer_watcher;

/* An exchange that is on its way, and when it is to be wondered at. */
typedef struct clv_peer_ask {
    clv_link_turn turn; /* first, so that one leads to the other */
    bool open;
    uint64_t acked_bytes; /* on the connection, when it began */
    int64_t compute_us;   /* what of it is expected not to be the link's */
    int64_t patience_us;  /* 0: nobody knows what it should take */
} clv_peer_ask;

typedef struct clv_peer_planner {
    clv_peer_doubt_fn fn;
    void *arg;
} clv_peer_planner;

struct clv_peer {
    clv_loop *loop;
    clv_client *client;
    clv_timer *timer, *wonder_timer;
    char *url;
    int64_t watch_every_us;
    clv_radio radio;
    pthread_mutex_t lock; /* guards what follows, up to link */
    clv_link_turns turns; /* of exchanges under way */
    clv_throughput throughput;
    int64_t carried_us;   /* when it last told what the link carries; 0: never */
    uint64_t acked_bytes; /* on the connection, when last looked */
    uint64_t asked_bytes; /* that pings and probes have sent */
    int64_t pinged_us;    /* the ping that is out; 0: none is */
    clv_link_monitor monitor;
    clv_link link;
    clv_node_load load;            /* loop's thread, as is what follows */
    int64_t load_at_us;            /* 0: not told */
    bool pinging, closing;         /* loop's thread */
    char said[CLV_ERROR_TEXT_MAX]; /* why it does not answer, as told to the log; "" if it does */
    int64_t said_us;
    const char *disbelieved; /* why its times were last not believed */
    atomic_int in_flight;    /* exchanges that carry tensors */
    clv_peer_watcher *watchers;
    size_t n_watchers, cap_watchers;
    clv_peer_planner *planners; /* who may want to know the link better */
    size_t n_planners, cap_planners;
};

/* An exchange begins, which should take `expected_us` (0: not known), was answered after `link_us`
 * on the link and in line for it, and ends, answered or not. One that waited for a connection to be
 * made tells nothing of the link, and just ends. Any thread; an answer on the loop's. */
void clv_peer_ask_begin(clv_peer *p, clv_peer_ask *a, size_t up_bytes, int64_t expected_us);
void clv_peer_ask_answered(clv_peer *p, clv_peer_ask *a, size_t down_bytes, int64_t link_us);
void clv_peer_ask_end(clv_peer *p, clv_peer_ask *a);
/* So many bytes more than what they know of may the connection carry: heads, pings. */
#define CLV_OTHERS_BYTES 2000
/* The estimate has changed: take it over and tell whoever watches. `why`: what made it look, for
 * the log; NULL if all is well. */
void clv_peer_refresh(clv_peer *p, const char *why);
/* It is gone, and `why`. Loop's thread, as what follows. */
void clv_peer_lost(clv_peer *p, const char *why);
/* Ask the peer for a sign of life (bytes 0), or time a transfer to it. One at a time. */
void clv_peer_probe(clv_peer *p, size_t bytes);
/* Passive first: a ping or a probe only when nothing else tells. A ping that a surprise asks for
 * does not wait until all is answered: on a link with enough to do that is never. */
void clv_peer_ask_link(clv_peer *p);
/* What the peer says of its times cannot be: to the log, once for the same reason (static text).
 * Loop's thread. */
void clv_peer_disbelieves(clv_peer *p, const char *why);
/* A call that sent `up_bytes` (0: they are all there) had no answer for `us`. On CLV_ETIMEOUT, which may be the deadline's
 * fault, the peer is asked for a sign of life first; otherwise the connection broke and the peer
 * counts as lost at once. Loop's thread. */
void clv_peer_saw_loss(clv_peer *p, const clv_error *error, size_t up_bytes, int64_t us);

#endif
