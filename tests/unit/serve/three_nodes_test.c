/* Three real nodes (serve/trio.h): a request runs at all three, or is handed on by the gateway
 * untouched; whichever node is lost, it is answered once and rightly; the gateway is routed around,
 * and gets its work back. */
#include "serve/trio.h"
#include "split/chain.h"
#include "tensor/codec.h"

static int start_trio(void **state)
{
    if (prepare(state)) return -1;
    trio *t = *state;
    node_begin(&t->gateway);
    start_edge(t, CLV_POLICY_EXACT);
    return 0;
}

static int start_shared(void **state)
{
    if (prepare(state)) return -1;
    trio *t = *state;
    node_begin(&t->gateway);
    start_edge(t, CLV_POLICY_CLOUD);
    edge_set_profile(&t->e, profile_for(t->e.network, true, 0));
    return 0;
}

typedef struct pinning {
    edge *e;
    clv_route route;
    atomic_int done;
    clv_error error;
} pinning;

static void pinned(void *arg, const clv_error *error)
{
    pinning *p = arg;
    if (error) p->error = *error;
    atomic_fetch_add(&p->done, 1);
}

static void pin_step(void *arg)
{
    pinning *p = arg;
    clv_splitter_pin(p->e->splitter, &p->route, pinned, p);
}

/* Here up to the first, at the gateway up to the second, the rest in the cloud. */
static void pin(edge *e, const char *first, const char *second)
{
    pinning p = {.e = e, .route = {.n = 3, .cut = {at(e, first), at(e, second), e->last}}};
    clv_loop_post(e->loop, pin_step, &p);
    await(atomic_load(&p.done) == 1);
    assert_ok(p.error.status, p.error);
}

static void on_profiled(void *arg, const char *text, const clv_error *error)
{
    (void)text;
    atomic_store((atomic_int *)arg, error ? 2 : 1);
}

/* Until the gateway knows that the cloud is there, and both have run what a profile needs. */
static void await_gateway(trio *t)
{
    clv_server *const servers[] = {t->gateway.r.server, t->cloud.r.server};
    for (size_t i = 0; i < CLV_COUNT(servers); i++) {
        atomic_int profiled = 0;
        clv_server_profile(servers[i], "chain", "", on_profiled, &profiled);
        await(atomic_load(&profiled) == 1);
    }
    for (int64_t until = clv_now_us() + 3 * EDGE_WAIT_US;;) {
        clv_request *r = edge_ask(&t->e, 1);
        bool through = r->trip.n == 2 && !r->recovered[0];
        clv_request_free(r);
        if (through) break;
        assert_true(clv_now_us() < until);
        clv_sleep_us(5000);
    }
}

/* What is live at "b", as the edge would send it: coded. */
static clv_tensor coded_b(edge *e, clv_codec codec)
{
    clv_error err = {0};
    clv_segment *head;
    clv_tensors made = {0};
    clv_tensor x = numbers("x", 2, 4), coded;
    assert_ok(clv_network_segment(e->network, 0, at(e, "b"), &head, &err), err);
    assert_ok(clv_segment_run(head, &x, 1, &made, &err), err);
    assert_ok(clv_codec_encode(codec, clv_tensors_find(&made, "b"), &coded, &err), err);
    clv_segment_unref(head);
    clv_tensors_done(&made);
    clv_tensor_done(&x);
    return coded;
}

/* Runs so far, of the edge's head and tail, of the gateway, of the cloud. */
typedef struct runs {
    int head, tail, gateway, cloud;
} runs;

static runs count(const trio *t)
{
    return (runs){t->e.engine->prefixes, t->e.engine->tails, t->gateway.r.engine->tails,
                  t->cloud.r.engine->tails};
}

static void assert_ran(const trio *t, runs before, runs more)
{
    runs now = count(t);
    assert_int_equal(now.head - before.head, more.head);
    assert_int_equal(now.tail - before.tail, more.tail);
    assert_int_equal(now.gateway - before.gateway, more.gateway);
    assert_int_equal(now.cloud - before.cloud, more.cloud);
}

static void a_request_runs_at_three_nodes(void **state)
{
    trio *t = *state;
    pin(&t->e, "b", "d");
    await_gateway(t);
    for (int rows = 1; rows <= 3; rows++) {
        runs before = count(t);
        clv_request *r = edge_ask(&t->e, rows);
        assert_right(&t->e, r, rows);
        assert_string_equal(r->plan, "b > d");
        assert_string_equal(r->recovered, "");
        assert_ran(t, before, (runs){1, 0, 1, 1});
        assert_int_equal(r->trip.n, 2);
        assert_int_equal(r->crossed.n, 2);
        for (size_t k = 0; k < 2; k++) {
            const clv_crossing *x = &r->crossed.hops[k];
            assert_string_equal(x->codec, "raw");
            assert_true(x->tensor_bytes > 0 && x->tensor_bytes == x->coded_bytes);
            assert_true(x->up_bytes > x->coded_bytes && x->down_bytes > 0);
        }
        const clv_timing *us = &r->timing;
        assert_true(clv_trip_us(&r->trip) <= us->total_us);
        int64_t parts = us->wait_us + us->edge_us + us->encode_us + us->link_us + us->queue_us +
                        us->cloud_us + us->relay_us + us->decode_us;
        assert_true(parts <= us->total_us);
        clv_request_free(r);
    }
}

static void the_gateway_hands_on_what_it_need_not_run(void **state)
{
    trio *t = *state;
    pin(&t->e, "b", "b");
    await_gateway(t);
    runs before = count(t);
    clv_request *r = edge_ask(&t->e, 2);
    assert_right(&t->e, r, 2);
    assert_string_equal(r->plan, "b > b");
    assert_ran(t, before, (runs){1, 0, 0, 1});
    assert_int_equal(r->trip.nodes[0].compute_us, 0);
    clv_request_free(r);
}

/* In another codec than the way says, so that who reads and writes it again changes its bytes. */
static void coded_tensors_are_handed_on_unread(void **state)
{
    enum { UNHURRIED_US = 60000000 }; /* before a deadline that is far off nobody hedges */
    trio *t = *state;
    pin(&t->e, "b", "b");
    await_gateway(t);
    asked a;
    clv_tensor b = coded_b(&t->e, (clv_codec){CLV_QUANT_F16, CLV_PACK_NONE});
    CLV_AUTO(clv_free) uint8_t *bytes = clv_alloc(b.bytes);
    size_t n = b.bytes;
    memcpy(bytes, b.data, n);
    clv_request *q = question(&a, b);
    q->route = clv_strdup("b@q8+zstd");
    q->local_only = true;
    q->deadline_us = clv_now_us() + UNHURRIED_US;
    clv_text_list_add(&q->wanted, "y", 1);
    int before = t->gateway.r.engine->tails;
    clv_server_submit(t->gateway.r.server, q);
    clv_request *r = answer_of(&a);
    assert_ok(r->error.status, r->error);
    assert_int_equal(r->outputs.n, 1);
    assert_string_equal(r->recovered, "");
    assert_int_equal(t->gateway.r.engine->tails, before);
    assert_true(tap_saw(&t->tap, bytes, n));
    assert_int_equal(r->crossed.n, 1);
    assert_string_equal(r->crossed.hops[0].codec, "f16"); /* as it came, not as the way says */
    assert_int_equal(r->crossed.hops[0].coded_bytes, n);
    clv_request_free(r);
}

/* The edge says what stays; a gateway in between changes nothing: it gets no more than that. */
static void what_must_stay_comes_to_no_other_node(void **state)
{
    trio *t = *state;
    edge_stop(&t->e);
    edge_start_with(&t->e, &(edge_options){.folder = t->edge_folder,
                                           .peer = t->gateway.url,
                                           .detour = t->cloud.url,
                                           .token = cloud_token,
                                           .privacy = "input",
                                           .patience_us = EDGE_WAIT_US,
                                           .policy = CLV_POLICY_EXACT});
    pinning p = {.e = &t->e, .route = {.n = 3, .cut = {0, 0, t->e.last}}};
    clv_loop_post(t->e.loop, pin_step, &p);
    await(atomic_load(&p.done) == 1);
    assert_int_equal(p.error.status, CLV_EDENIED);
    pin(&t->e, "b", "d");
    await_gateway(t);
    clv_tensor x = numbers("x", 3, 4);
    clv_request *r = edge_ask(&t->e, 3);
    assert_right(&t->e, r, 3);
    assert_int_equal(r->trip.n, 2);
    assert_false(tap_saw(&t->tap, x.data, x.bytes));
    assert_int_equal(clv_splitter_withheld(t->e.splitter), 0);
    clv_tensor_done(&x);
    clv_request_free(r);
}

static void the_gateway_finishes_for_a_lost_cloud(void **state)
{
    trio *t = *state;
    pin(&t->e, "b", "d");
    await_gateway(t);
    cloud_stop(&t->cloud);
    int gateway = t->gateway.r.engine->tails, tails = t->e.engine->tails;
    clv_request *r = edge_ask(&t->e, 2);
    assert_right(&t->e, r, 2);
    assert_non_null(strstr(r->recovered, "by the peer: "));
    assert_true(t->gateway.r.engine->tails > gateway);
    assert_int_equal(t->e.engine->tails, tails);
    clv_request_free(r);
}

/* One request, with the gateway lost once `reached` says so; the edge has run its head once. */
static void expect_the_edge_to_finish(trio *t, atomic_int *steps)
{
    int before = atomic_load(steps), heads = t->e.engine->prefixes, tails = t->e.engine->tails;
    asked a;
    clv_splitter_run(t->e.splitter, question(&a, numbers("x", 3, 4)));
    await(atomic_load(steps) > before);
    cloud_stop(&t->gateway);
    clv_request *r = answer_of(&a);
    assert_right(&t->e, r, 3);
    assert_string_not_equal(r->recovered, "");
    assert_int_equal(t->e.engine->prefixes - heads, 1);
    assert_int_equal(t->e.engine->tails - tails, 1);
    clv_request_free(r);
}

static void the_gateway_dies_while_it_computes(void **state)
{
    trio *t = *state;
    pin(&t->e, "b", "d");
    await_gateway(t);
    t->gateway.r.engine->run_us = 300000;
    expect_the_edge_to_finish(t, &t->gateway.r.engine->tails);
}

static void the_gateway_dies_while_the_cloud_computes(void **state)
{
    trio *t = *state;
    pin(&t->e, "b", "d");
    await_gateway(t);
    t->cloud.r.engine->run_us = 300000;
    expect_the_edge_to_finish(t, &t->cloud.r.engine->tails);
}

static void the_gateway_is_gone_before_it_is_asked(void **state)
{
    trio *t = *state;
    pin(&t->e, "b", "d");
    await_gateway(t);
    t->e.engine->run_us = 200000;
    expect_the_edge_to_finish(t, &t->e.engine->prefixes);
}

/* The nodes that answer: 2 through the gateway, 1 if the cloud was asked itself. */
static bool answered_by(trio *t, size_t nodes)
{
    clv_request *r = edge_ask(&t->e, 1);
    assert_right(&t->e, r, 1);
    bool is = r->trip.n == nodes && !r->recovered[0];
    clv_request_free(r);
    return is;
}

static void a_lost_gateway_is_routed_around_and_gets_its_work_back(void **state)
{
    trio *t = *state;
    await(answered_by(t, 2));
    cloud_stop(&t->gateway);
    await(answered_by(t, 1));
    cloud_start(&t->gateway);
    await(answered_by(t, 2));
}

typedef struct chain_call {
    clv_server *server;
    char *text; /* NULL: none yet */
    atomic_int done;
} chain_call;

static void chain_step(void *arg)
{
    chain_call *c = arg;
    clv_error err = {0};
    if (clv_server_chain(c->server, "chain", NULL, false, &c->text, &err)) c->text = NULL;
    atomic_fetch_add(&c->done, 1);
}

/* How many nodes it tells of, once it has heard of all. */
static size_t nodes_of(cloud *node)
{
    clv_error err = {0};
    for (int64_t until = clv_now_us() + 3 * EDGE_WAIT_US; clv_now_us() < until;) {
        chain_call call = {.server = node->r.server};
        clv_loop_post(node->r.loop, chain_step, &call);
        await(atomic_load(&call.done) == 1);
        clv_chain *c = NULL;
        if (call.text) assert_ok(clv_chain_parse(call.text, strlen(call.text), &c, &err), err);
        size_t n = c && !c->pending ? c->n : 0;
        clv_chain_free(c);
        free(call.text);
        if (n > 0) return n;
        clv_sleep_us(5000);
    }
    fail_msg("no chain of %s", node->url);
    return 0;
}

/* The edge is the gateway's peer, and the gateway is the edge's: their chains end, and both answer. */
static void a_loop_is_no_chain(void **state)
{
    trio *t = *state;
    cloud *a = &t->cloud, *b = &t->gateway; /* b has a as its peer already */
    cloud_start(b);
    cloud_stop(a);
    a->r.peer = b->url;
    a->r.token = cloud_token;
    cloud_start(a);
    cloud *const both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(nodes_of(both[i]), 2);
        asked asked_both;
        clv_server_submit(both[i]->r.server, question(&asked_both, numbers("x", 2, 4)));
        clv_request *r = answer_of(&asked_both);
        assert_ok(r->error.status, r->error);
        clv_request_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_runs_at_three_nodes, start_trio, stop_trio),
        cmocka_unit_test_setup_teardown(the_gateway_hands_on_what_it_need_not_run, start_trio,
                                        stop_trio),
        cmocka_unit_test_setup_teardown(coded_tensors_are_handed_on_unread, start_trio, stop_trio),
        cmocka_unit_test_setup_teardown(what_must_stay_comes_to_no_other_node, start_trio,
                                        stop_trio),
        cmocka_unit_test_setup_teardown(the_gateway_finishes_for_a_lost_cloud, start_trio,
                                        stop_trio),
        cmocka_unit_test_setup_teardown(the_gateway_dies_while_it_computes, start_trio, stop_trio),
        cmocka_unit_test_setup_teardown(the_gateway_dies_while_the_cloud_computes, start_trio,
                                        stop_trio),
        cmocka_unit_test_setup_teardown(the_gateway_is_gone_before_it_is_asked, start_trio,
                                        stop_trio),
        cmocka_unit_test_setup_teardown(a_lost_gateway_is_routed_around_and_gets_its_work_back,
                                        start_shared, stop_trio),
        cmocka_unit_test_setup_teardown(a_loop_is_no_chain, prepare, stop_trio),
    };
    return cmocka_run_group_tests_name("three_nodes", tests, NULL, NULL);
}
