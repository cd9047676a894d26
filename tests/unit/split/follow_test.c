/* Which cut, and when: learning the peer's side, pushing, refusing, switching under load, losing
 * the peer and finding it again. */
#include "split/rig.h"

#include "split/forecast.h"

#define PATIENCE_US 2000000

static int start(void **state)
{
    *state = rig_new();
    return 0;
}

/* The edge, with a profile that makes cut 3 the best. */
static void follow(rig *r)
{
    edge_start(&r->e, r->folder, r->s.n.url, PATIENCE_US);
    edge_set_profile(&r->e, profile_for(r->e.network, true, r->s.best));
}

static bool plan_is(rig *r, const char *label)
{
    char *plan = clv_splitter_plan(r->e.splitter);
    bool is = strcmp(plan, label) == 0;
    free(plan);
    return is;
}

static char *label_of(rig *r, size_t cut)
{
    return clv_cut_label(clv_network_cuts(r->e.network), clv_network_graph(r->e.network), cut);
}

static void await_best(rig *r)
{
    char *label = label_of(r, r->s.best);
    await(plan_is(r, label));
    free(label);
}

static void expect_plan(rig *r, const char *plan)
{
    clv_request *a = edge_ask(&r->e, 1);
    assert_right(&r->e, a, 1);
    assert_string_equal(a->plan, plan);
    assert_true(a->predicted.known); /* whatever the plan */
    assert_true(a->predicted.us.total_us > 0);
    assert_int_equal(a->predicted.us.link_us > 0, strcmp(plan, "local") != 0);
    clv_request_free(a);
}

static void the_best_cut_is_prepared_and_deployed(void **state)
{
    rig *r = *state;
    follow(r);
    await_best(r);
    assert_int_equal(r->s.prepares, 1);
    assert_int_equal(r->s.pushes, 0);
    assert_int_equal(r->e.engine->warm_ups, 1); /* the first request is not the first run */
    assert_int_equal(r->e.engine->prefixes, 0);
    assert_true(edge_settled(&r->e));
    char *label = label_of(r, r->s.best);
    expect_plan(r, label);
    free(label);
    assert_int_equal(r->s.infers, 1);
}

typedef struct deployed {
    clv_splitter *splitter;
    clv_route route;
    clv_prediction first; /* of requests, when it was deployed */
    atomic_bool done;
} deployed;

static void when_deployed(void *arg, const clv_error *error)
{
    deployed *d = arg;
    if (!error) d->first = clv_forecast_of(d->splitter, d->splitter->live);
    atomic_store(&d->done, true);
}

static void deploy_another(void *arg)
{
    deployed *d = arg;
    clv_splitter_pin(d->splitter, &d->route, when_deployed, d);
}

/* Not from the next look of the planner on. */
static void the_first_request_on_a_cut_is_predicted(void **state)
{
    rig *r = *state;
    follow(r);
    await_best(r);
    const size_t other = r->s.best - 1;
    deployed d = {.splitter = r->e.splitter,
                  .route = clv_route_at(other, (clv_codec){0}, r->e.last)};
    clv_loop_post(r->e.loop, deploy_another, &d);
    await(atomic_load(&d.done));
    assert_true(d.first.known);
    assert_true(d.first.us.total_us > 1000000 - 1000); /* the peer's part is dear before the best */
}

/* One request with a deadline in so long (0: none); was it the peer's to hurry? */
static bool is_hurried(rig *r, int64_t due_us)
{
    asked a;
    clv_request *q = question(&a, numbers("x", 1, 4));
    if (due_us) q->deadline_us = clv_now_us() + due_us;
    clv_splitter_run(r->e.splitter, q);
    q = answer_of(&a);
    assert_right(&r->e, q, 1);
    assert_string_equal(q->recovered, "");
    clv_request_free(q);
    return !r->s.patient;
}

/* The peer is not to hurry for how long this node waits, but for who needs the answer sooner. */
static void only_a_near_deadline_hurries_the_peer(void **state)
{
    rig *r = *state;
    edge_start(&r->e, r->folder, r->s.n.url, 60000000);
    edge_pin(&r->e, r->s.best);
    assert_false(is_hurried(r, 0));
    assert_false(is_hurried(r, 600000000));
    assert_true(is_hurried(r, 30000000));
    assert_int_equal(r->s.infers, 3);
}

static void a_missing_model_is_pushed(void **state)
{
    rig *r = *state;
    r->s.has_model = false;
    r->s.takes_push = r->s.keeps_push = true;
    follow(r);
    await_best(r);
    assert_int_equal(r->s.pushes, 1);
    clv_map map;
    clv_error err = {0};
    assert_ok(clv_map_open(clv_network_path(r->e.network), &map, &err), err);
    assert_true(r->s.pushed_bytes > map.bytes); /* the file and its head */
    clv_map_done(&map);
}

static void a_peer_that_takes_no_models_is_left_alone(void **state)
{
    rig *r = *state;
    r->s.has_model = false;
    follow(r);
    await(edge_settled(&r->e));
    assert_int_equal(r->s.pushes, 1);
    expect_plan(r, "local");
    assert_int_equal(r->s.infers + r->s.prepares, 0);
}

static void a_model_is_not_pushed_in_a_circle(void **state)
{
    rig *r = *state;
    r->s.has_model = false;
    r->s.takes_push = true;
    follow(r);
    await(edge_settled(&r->e));
    assert_int_equal(r->s.pushes, 1);
    expect_plan(r, "local");
}

static void another_model_of_the_name_is_not_used(void **state)
{
    rig *r = *state;
    r->s.other_digest = true;
    follow(r);
    await(edge_settled(&r->e));
    expect_plan(r, "local");
    assert_int_equal(r->s.infers + r->s.pushes + r->s.prepares, 0);
}

static void a_peer_of_another_version_is_not_used(void **state)
{
    rig *r = *state;
    atomic_store(&r->s.protocol, CLV_PEER_PROTOCOL + 1);
    follow(r);
    await(edge_settled(&r->e));
    expect_plan(r, "local");
    assert_int_equal(r->s.infers + r->s.pushes + r->s.prepares + r->s.profiles, 0);
    atomic_store(&r->s.protocol, CLV_PEER_PROTOCOL); /* it was brought up to date */
    await_best(r);
}

static void a_peer_that_is_no_cleave_node_is_not_used(void **state)
{
    rig *r = *state;
    atomic_store(&r->s.protocol, 0);
    follow(r);
    await(edge_settled(&r->e));
    expect_plan(r, "local");
    assert_int_equal(r->s.infers + r->s.pushes + r->s.prepares + r->s.profiles, 0);
}

static void a_bad_profile_and_a_refused_cut_leave_it_local(void **state)
{
    rig *r = *state;
    r->s.bad_profile = true;
    follow(r);
    await(r->s.profiles > 0);
    expect_plan(r, "local");
    r->s.bad_prepare = true;
    r->s.bad_profile = false;
    await(r->s.prepares > 0);
    expect_plan(r, "local");
    r->s.bad_prepare = false;
    await_best(r);
}

/* The profiles promise 10 ms here and 20 ms there; it takes 150 ms here, and after a few requests
 * the peer does the work. */
static void a_device_slower_than_its_profile_hands_over(void **state)
{
    rig *r = *state;
    r->s.tail_us = 20000;
    edge_start(&r->e, r->folder, r->s.n.url, PATIENCE_US);
    clv_profile *p = profile_for(r->e.network, true, 0);
    for (size_t i = 1; i < p->n_cuts; i++) p->cuts[i].prefix.us = 10000;
    edge_set_profile(&r->e, p);
    await(edge_settled(&r->e));
    expect_plan(r, "local");
    r->e.engine->run_us = 150000;
    for (int i = 0; i < 100 && plan_is(r, "local"); i++) {
        clv_request *a = edge_ask(&r->e, 1);
        assert_right(&r->e, a, 1);
        clv_request_free(a);
    }
    await(plan_is(r, "remote"));
    expect_plan(r, "remote");
}

static void a_lost_peer_is_found_again(void **state)
{
    rig *r = *state;
    follow(r);
    await_best(r);
    atomic_store(&r->s.answer, ANSWER_DIE);
    clv_request *a = edge_ask(&r->e, 1);
    assert_right(&r->e, a, 1);
    assert_true(a->recovered[0]);
    clv_request_free(a);
    await(plan_is(r, "local"));
    expect_plan(r, "local");
    standin_come_back(&r->s);
    await_best(r);
    char *label = label_of(r, r->s.best);
    expect_plan(r, label);
    free(label);
}

/* Who comes back may be another process, without the model. */
static void a_peer_that_comes_back_empty_gets_the_model(void **state)
{
    rig *r = *state;
    r->s.takes_push = r->s.keeps_push = true;
    follow(r);
    await_best(r);
    assert_int_equal(r->s.pushes, 0);
    atomic_store(&r->s.answer, ANSWER_DIE);
    clv_request_free(edge_ask(&r->e, 1));
    await(plan_is(r, "local"));
    r->s.has_model = false;
    standin_come_back(&r->s);
    await_best(r);
    assert_int_equal(r->s.pushes, 1);
    assert_int_equal(r->s.profiles, 1); /* kept from before */
}

/* --- switching under load --- */

enum { THREADS = 4, EACH = 150 };

typedef struct client {
    rig *r;
    pthread_t thread;
    asked all[EACH];
    atomic_bool ended;
} client;

static void *ask_on_and_on(void *arg)
{
    client *c = arg;
    for (int i = 0; i < EACH; i++) {
        clv_splitter_run(c->r->e.splitter, question(&c->all[i], numbers("x", 1 + i % 3, 4)));
        clv_sleep_us(300);
    }
    atomic_store(&c->ended, true);
    return NULL;
}

static void check_all(client *c)
{
    pthread_join(c->thread, NULL);
    for (int i = 0; i < EACH; i++) {
        clv_request *a = answer_of(&c->all[i]);
        assert_right(&c->r->e, a, 1 + i % 3);
        clv_request_free(a);
    }
}

static bool all_ended(client *clients)
{
    bool ended = true;
    for (int i = 0; i < THREADS; i++) ended &= atomic_load(&clients[i].ended);
    return ended;
}

static client *clients_start(rig *r)
{
    client *clients = clv_alloc_array(THREADS, sizeof *clients);
    for (int i = 0; i < THREADS; i++) {
        clients[i].r = r;
        pthread_create(&clients[i].thread, NULL, ask_on_and_on, &clients[i]);
    }
    return clients;
}

static void switching_loses_nothing(void **state)
{
    rig *r = *state;
    edge_start(&r->e, r->folder, r->s.n.url, PATIENCE_US);
    edge_pin(&r->e, 1);
    client *clients = clients_start(r);
    for (int cut = 0; !all_ended(clients); cut = (cut + 1) % ((int)r->e.last + 1))
        edge_pin(&r->e, cut);
    for (int i = 0; i < THREADS; i++) check_all(&clients[i]);
    assert_true(r->s.infers > 0);
    free(clients);
}

static void losing_the_peer_under_load_loses_no_answer(void **state)
{
    rig *r = *state;
    follow(r);
    await_best(r);
    client *clients = clients_start(r);
    while (!all_ended(clients)) {
        await(r->s.infers > 5 || all_ended(clients));
        atomic_store(&r->s.answer, ANSWER_DIE);
        await(plan_is(r, "local") || all_ended(clients)); /* the last of them may not meet it */
        if (!plan_is(r, "local")) break;
        standin_come_back(&r->s);
        await_best(r);
    }
    for (int i = 0; i < THREADS; i++) check_all(&clients[i]);
    free(clients);
}

static void expect_run_as(rig *r, const char *plan)
{
    clv_request *a = edge_ask(&r->e, 1);
    assert_right(&r->e, a, 1);
    assert_string_equal(a->plan, plan);
    assert_string_equal(a->recovered, "");
    clv_request_free(a);
}

/* While a new deployment is being built, however long that takes, requests are answered on the old one. */
static void a_switch_pauses_nothing(void **state)
{
    rig *r = *state;
    edge_start(&r->e, r->folder, r->s.n.url, PATIENCE_US);
    edge_pin(&r->e, 1);
    char *before = label_of(r, 1), *after = label_of(r, 3);
    atomic_store(&r->e.engine->hold_compiles, true);
    edge_call pin = {.e = &r->e, .cut = 3};
    clv_loop_post(r->e.loop, edge_pin_step, &pin);
    await(r->e.engine->held > 0); /* it is being built now, and stays so */
    for (int i = 0; i < 50; i++) expect_run_as(r, before);
    assert_int_equal(atomic_load(&pin.done), 0);
    assert_true(r->e.engine->held > 0);
    atomic_store(&r->e.engine->hold_compiles, false);
    await(atomic_load(&pin.done) == 1);
    expect_run_as(r, after);
    free(before);
    free(after);
}

/* The deployment before stays resident at both ends: going back neither compiles nor waits. */
static void going_back_costs_nothing(void **state)
{
    rig *r = *state;
    edge_start(&r->e, r->folder, r->s.n.url, PATIENCE_US);
    edge_pin(&r->e, 1);
    edge_pin(&r->e, 3);
    edge_pin(&r->e, (int)r->e.last); /* all local is resident anyway, and takes nobody's place */
    int compiled = r->e.engine->compiles;
    atomic_store(&r->e.engine->hold_compiles, true);
    char *labels[] = {label_of(r, 1), label_of(r, 3)};
    edge_pin(&r->e, 3);
    expect_run_as(r, labels[1]);
    edge_pin(&r->e, (int)r->e.last);
    edge_pin(&r->e, 3);
    expect_run_as(r, labels[1]);
    assert_int_equal(r->e.engine->compiles, compiled);
    atomic_store(&r->e.engine->hold_compiles, false);
    edge_pin(&r->e, 1); /* that one was given up */
    compiled = r->e.engine->compiles;
    for (int i = 0; i < 6; i++) {
        edge_pin(&r->e, i % 2 ? 1 : 3);
        expect_run_as(r, labels[i % 2 ? 0 : 1]);
    }
    assert_int_equal(r->e.engine->compiles, compiled);
    for (int i = 0; i < 2; i++) free(labels[i]);
}

static void pin_nothing(void *arg)
{
    edge_call *c = arg;
    clv_splitter_pin(c->e->splitter, NULL, edge_called, c);
}

/* All here has become the best while a cut is still being prepared: the node goes home at once, and
 * what is ready later does not take it away again. */
static void home_does_not_wait_for_a_preparation(void **state)
{
    rig *r = *state;
    r->s.best = clv_network_cuts(r->s.network)->n - 1;
    follow(r);
    await(edge_settled(
        &r->e)); /* the peer's times are known, so that every plan's can be predicted */
    edge_pin(&r->e, 1);
    char *away = label_of(r, 1);
    expect_plan(r, away);
    atomic_store(&r->e.engine->hold_compiles, true);
    edge_call pin = {.e = &r->e, .cut = 3}, unpin = {.e = &r->e};
    clv_loop_post(r->e.loop, edge_pin_step, &pin);
    await(r->e.engine->held > 0);
    expect_plan(r, away);
    clv_loop_post(r->e.loop, pin_nothing, &unpin);
    await(plan_is(r, "local"));
    assert_false(edge_settled(&r->e)); /* it is being prepared still */
    expect_plan(r, "local");
    atomic_store(&r->e.engine->hold_compiles, false);
    await(edge_settled(&r->e));
    expect_plan(r, "local");
    assert_int_equal(pin.error.status, CLV_ECANCELED);
    free(away);
}

/* A pin that is overtaken by another says so; nobody waits for ever. */
static void a_pin_is_answered_when_another_comes(void **state)
{
    rig *r = *state;
    edge_start(&r->e, r->folder, "http://127.0.0.1:1",
               PATIENCE_US); /* nobody there: never prepared */
    edge_call first = {.e = &r->e, .cut = 2}, second = {.e = &r->e, .cut = (int)r->e.last};
    clv_loop_post(r->e.loop, edge_pin_step, &first);
    clv_loop_post(r->e.loop, edge_pin_step, &second);
    await(atomic_load(&first.done) == 1 && atomic_load(&second.done) == 1);
    assert_int_equal(first.error.status, CLV_ECANCELED);
    assert_int_equal(second.error.status, CLV_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(the_best_cut_is_prepared_and_deployed),
        TEST(the_first_request_on_a_cut_is_predicted),
        TEST(only_a_near_deadline_hurries_the_peer),
        TEST(a_missing_model_is_pushed),
        TEST(a_peer_that_takes_no_models_is_left_alone),
        TEST(a_model_is_not_pushed_in_a_circle),
        TEST(another_model_of_the_name_is_not_used),
        TEST(a_peer_of_another_version_is_not_used),
        TEST(a_peer_that_is_no_cleave_node_is_not_used),
        TEST(a_bad_profile_and_a_refused_cut_leave_it_local),
        TEST(a_device_slower_than_its_profile_hands_over),
        TEST(a_lost_peer_is_found_again),
        TEST(a_peer_that_comes_back_empty_gets_the_model),
        TEST(switching_loses_nothing),
        TEST(losing_the_peer_under_load_loses_no_answer),
        TEST(a_switch_pauses_nothing),
        TEST(going_back_costs_nothing),
        TEST(home_does_not_wait_for_a_preparation),
        TEST(a_pin_is_answered_when_another_comes),
    };
#undef TEST
    return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
