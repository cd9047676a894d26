/* What the peer is asked of itself and its link: pings and probes. */
#include "split/peer_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* To answer a ping, beyond four round trips and twice what is before it, the latter up to a limit. */
#define CLV_SIGN_OF_LIFE_US   1000000
#define CLV_PING_BEHIND_US    30e6
#define CLV_PROBE_PATIENCE_US 10000000

typedef struct probe {
    clv_peer *p;
    size_t bytes;  /* 0: a ping */
    size_t before; /* on their way up when it went: what was given up, or has no answer */
    void *padding;
    clv_peer_ask way; /* if it has bytes */
} probe;

/* The answer to a ping tells how busy the peer is. Another program than cleave tells nothing, and
 * is alive all the same. */
static void hear(clv_peer *p, const clv_reply *reply)
{
    if (reply->status != 200 || clv_node_load_parse(clv_body_data(reply->body),
                                                    clv_body_bytes(reply->body), &p->load, NULL))
        return;
    p->load_at_us = clv_now_us();
}

bool clv_peer_load(const clv_peer *p, clv_node_load *load, int64_t *at_us)
{
    if (!p->load_at_us) return false;
    *load = p->load;
    *at_us = p->load_at_us;
    return true;
}

/* A ping that went behind other bytes took as long as all of them. `us` is without the making of a
 * connection, which takes round trips of its own. */
static void see_ping(clv_peer *p, size_t before, int64_t us)
{
    pthread_mutex_lock(&p->lock);
    if (before > CLV_OTHERS_BYTES)
        clv_link_monitor_behind(&p->monitor, clv_now_us(), before, (double)us);
    else
        clv_link_monitor_rtt(&p->monitor, clv_now_us(), (double)us);
    pthread_mutex_unlock(&p->lock);
    clv_peer_refresh(p, NULL);
}

static void on_probe(void *arg, const clv_reply *reply)
{
    probe *sent = arg;
    clv_peer *p = sent->p;
    p->pinging = false;
    pthread_mutex_lock(&p->lock);
    p->pinged_us = 0;
    pthread_mutex_unlock(&p->lock);
    if (reply->error && !p->closing) {
        clv_peer_lost(p, reply->error->text);
    } else if (!reply->error && sent->bytes) {
        if (!reply->connect_us)
            clv_peer_ask_answered(p, &sent->way, clv_body_bytes(reply->body),
                                  reply->end_us - reply->start_us);
    } else if (!reply->error) {
        hear(p, reply);
        see_ping(p, sent->before, reply->end_us - reply->start_us - reply->connect_us);
    }
    clv_peer_ask_end(p, &sent->way);
    pthread_mutex_lock(&p->lock);
    bool again = clv_link_monitor_surprised(&p->monitor);
    pthread_mutex_unlock(&p->lock);
    if (!reply->error && !p->closing && (again || !clv_peer_link(p).up))
        clv_peer_ask_link(p); /* the next thing to learn */
    free(sent);
}

/* How long a ping may take: it goes behind all that is on its way up, also behind what was given up. */
static int64_t ping_patience_us(clv_peer *p)
{
    const uint64_t queued = clv_client_path(p->client).queued_bytes;
    pthread_mutex_lock(&p->lock);
    const clv_link link = p->link;
    const size_t up_bytes = clv_link_turns_bytes(&p->turns);
    pthread_mutex_unlock(&p->lock);
    const double before_us = link.up ? clv_link_exchange_us(&link, up_bytes + queued, 0) : 0;
    return CLV_SIGN_OF_LIFE_US + 4 * (int64_t)link.rtt_us +
           (int64_t)fmin(2 * before_us, CLV_PING_BEHIND_US);
}

void clv_peer_probe(clv_peer *p, size_t bytes)
{
    if (p->pinging || p->closing) return;
    p->pinging = true;
    probe *sent = clv_alloc(sizeof *sent);
    *sent = (probe){.p = p, .bytes = bytes, .padding = bytes ? clv_try_alloc(bytes) : NULL};
    clv_slice body = {
        .data = sent->padding, .bytes = bytes, .release = free, .owner = sent->padding};
    if (bytes && sent->padding)
        __builtin_memset(sent->padding, 0x5a, bytes);
    else
        sent->bytes = 0;
    pthread_mutex_lock(&p->lock);
    p->asked_bytes += sent->bytes + CLV_LINK_PING_BYTES;
    p->pinged_us = sent->bytes ? 0 : clv_now_us();
    const clv_path_info path = clv_client_path(p->client);
    sent->before = (size_t)path.queued_bytes;
    if (sent->bytes) p->acked_bytes = path.bytes_acked;
    pthread_mutex_unlock(&p->lock);
    if (sent->bytes) clv_peer_ask_begin(p, &sent->way, sent->bytes, 0);
    int64_t patience = bytes ? CLV_PROBE_PATIENCE_US : ping_patience_us(p);
    clv_client_call(p->client, &(clv_call){.method = sent->bytes ? "POST" : "GET",
                                           .path = sent->bytes ? "/v2/link/probe" : "/v2/load",
                                           .body = &body,
                                           .n_body = sent->bytes ? 1 : 0,
                                           .deadline_us = clv_now_us() + patience,
                                           .done = on_probe,
                                           .arg = sent});
}

/* Could it change anybody's plan to know the link better? */
static bool matters(const clv_peer *p)
{
    bool any = false;
    for (size_t i = 0; i < p->n_planners && !any; i++) any = p->planners[i].fn(p->planners[i].arg);
    return any;
}

/* Is nothing on its way up, of those under way or of what was given up? Under the lock. */
static bool is_free(clv_peer *p)
{
    const clv_path_info path = clv_client_path(p->client);
    return !clv_link_turns_look(&p->turns, path.bytes_acked, clv_now_us()) && !path.queued_bytes;
}

void clv_peer_ask_link(clv_peer *p)
{
    clv_link_probe want = {.kind = CLV_PROBE_NONE};
    bool idle = atomic_load(&p->in_flight) == 0;
    bool wanted = matters(p);
    pthread_mutex_lock(&p->lock);
    bool may = !p->link.up || (!p->pinging && (idle || (p->monitor.rtt_asked && is_free(p))));
    if (may) want = clv_link_monitor_probe(&p->monitor, clv_now_us(), wanted);
    /* With nothing left to ask with, the rate is thought to be what it was: nothing else will tell. */
    const bool back = !p->link.up && clv_link_monitor_link(&p->monitor, clv_now_us()).up;
    pthread_mutex_unlock(&p->lock);
    if (back) clv_peer_refresh(p, NULL);
    if (want.kind != CLV_PROBE_NONE)
        clv_peer_probe(p, want.kind == CLV_PROBE_BYTES ? want.bytes : 0);
}

void clv_peer_greet(clv_peer *p)
{
    pthread_mutex_lock(&p->lock);
    bool wanted = atomic_load(&p->in_flight) == 0 && !p->pinging && p->link.up &&
                  clv_link_monitor_greets(&p->monitor, clv_now_us());
    pthread_mutex_unlock(&p->lock);
    if (wanted) clv_peer_probe(p, 0);
}

int64_t clv_peer_silent_us(clv_peer *p)
{
    pthread_mutex_lock(&p->lock);
    int64_t since_us = p->pinged_us;
    pthread_mutex_unlock(&p->lock);
    return since_us ? clv_now_us() - since_us : 0;
}
