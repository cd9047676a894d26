/* A connection takes round trips to be made: they are none of the ping's that waits for it. With real
 * TLS, whose other end is busy when the handshake comes. */
#include "split/peer_priv.h"

#include "net/node.h"
#include "net/pki.h"
#include "split/edge.h"

#include <unistd.h>

#define BUSY_US 700000

typedef struct door {
    node n;
    atomic_bool held;
} door;

static void be_busy(void *arg)
{
    door *d = arg;
    atomic_store(&d->held, true);
    usleep(BUSY_US);
}

static void answer(void *ctx, clv_exchange *x)
{
    (void)ctx;
    clv_exchange_respond(x, &(clv_response){.status = 200});
}

typedef struct seen {
    clv_peer *p;
    _Atomic double rtt_us; /* of the first ping; 0: none was answered yet */
} seen;

static void on_change(void *arg)
{
    seen *s = arg;
    pthread_mutex_lock(&s->p->lock);
    const clv_link_monitor *m = &s->p->monitor;
    double us = m->rtt_seen ? clv_link_monitor_link(m, clv_now_us()).rtt_us : 0;
    pthread_mutex_unlock(&s->p->lock);
    if (us > 0 && s->rtt_us <= 0) s->rtt_us = us;
}

static void a_round_trip_is_told_without_the_handshake(void **state)
{
    const pki *keys = *state;
    const clv_http_handler handler = {.request = answer};
    clv_tls_options here = {.cert = keys->cert, .key = keys->key}, there = {.ca = keys->ca};
    clv_error err = {0};
    door d = {0};
    node_start(&d.n, (clv_http_server_options){.tls = &here}, &handler, &d);
    clv_loop_post(d.n.loop, be_busy, &d);
    await(d.held);
    clv_loop *loop = clv_loop_new();
    clv_peer *p;
    assert_ok(clv_peer_new(loop, &(clv_peer_options){.url = d.n.url, .tls = &there}, &p, &err),
              err);
    seen s = {.p = p};
    clv_peer_watch(p, on_change, &s);
    pthread_t thread;
    pthread_create(&thread, NULL, edge_run, loop);
    await(s.rtt_us > 0);
    clv_loop_stop(loop);
    pthread_join(thread, NULL);
    clv_peer_free(p);
    clv_loop_free(loop);
    node_stop(&d.n);
    assert_true(s.rtt_us < 0.5 * BUSY_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_trip_is_told_without_the_handshake),
    };
    return cmocka_run_group_tests(tests, make_pki, drop_pki);
}
