/* An edge's server and a real cloud node in one process: two loops, two engines, the real port between them. What they share follows
 * the peer's life and the load. */
#include "serve/cloud.h"

typedef struct pair {
    rig edge;
    cloud cloud;
    char *folder;
    atomic_bool settled; /* the edge, when it was looked at last */
} pair;

static void each_step(counting *e, int64_t us)
{
    for (int k = 0; k < COUNTING_STEPS; k++) e->step_us[k] = us;
    e->slow_warm_ups = true;
}

/* The edge has the model. `edge_us`, `cloud_us`: what a unit of it takes at each, beside its computing. */
static int start_with(void **state, const char *policy, int64_t edge_us, int64_t cloud_us)
{
    clv_error err = {0};
    pair *p = clv_alloc(sizeof *p);
    assert_ok(clv_dir_temp("pair", &p->folder, &err), err);
    folders(&p->edge, p->folder, "edge");
    folders(&p->cloud.r, p->folder, "cloud");
    free(write_chain(p->edge.models));
    cloud_start(&p->cloud);
    each_step(p->cloud.r.engine, cloud_us);
    rig *e = &p->edge;
    e->engine = counting_new();
    each_step(e->engine, edge_us);
    e->loop = clv_loop_new();
    e->lane = clv_lane_new("compute", 1024, -1);
    clv_server_options o = {.models = e->models,
                            .profiles = e->profiles,
                            .peer = p->cloud.url,
                            .peer_token = cloud_token,
                            .policy = policy,
                            .watch_every_us = 20000,
                            .threads = 1};
    assert_ok(clv_server_new(&o, e->loop, &e->engine->base, e->lane, &e->server, &err), err);
    pthread_create(&e->thread, NULL, edge_run, e->loop);
    *state = p;
    return 0;
}

/* The edge runs nothing itself if it can help it. */
static int start_pair(void **state)
{
    return start_with(state, "cloud", 0, 0);
}

/* Alone the edge is the fastest, and both together get through the most: by so much that it stays true on a busy machine, where a
 * sleep ends some milliseconds late; and their profiles say so. */
static int start_even_pair(void **state)
{
    return start_with(state, "exact", 5000, 10000);
}

static int stop_pair(void **state)
{
    pair *p = *state;
    unserve(&p->edge);
    cloud_stop(&p->cloud);
    clv_dir_remove(p->folder);
    free(p->edge.models);
    free(p->edge.profiles);
    free(p->cloud.r.models);
    free(p->cloud.r.profiles);
    free(p->folder);
    free(p);
    return 0;
}

static bool plan_is(pair *p, const char *plan)
{
    clv_error err = {0};
    clv_model_info info;
    assert_ok(clv_server_model(p->edge.server, "chain", "", &info, &err), err);
    bool is = info.plan && strcmp(info.plan, plan) == 0;
    clv_model_info_done(&info);
    return is;
}

static clv_request *ask(pair *p, int rows)
{
    asked a;
    clv_server_submit(p->edge.server, question(&a, numbers("x", rows, 4)));
    clv_request *r = answer_of(&a);
    assert_ok(r->error.status, r->error);
    assert_int_equal(r->outputs.n, 2);
    assert_int_equal(clv_tensors_find(&r->outputs, "y")->shape.dim[0], rows);
    return r;
}

/* Push, profile, plan, prepare, split; the cloud goes; local; it comes back with what it was given. */
static void the_model_is_pushed_and_runs_on_the_other_node(void **state)
{
    pair *p = *state;
    await(plan_is(p, "remote"));
    int before = p->edge.engine->wholes;
    clv_request *r = ask(p, 3);
    for (int i = 0; i < 20 && r->hedged[0]; i++) { /* on a busy machine the edge began it too */
        clv_request_free(r);
        before = p->edge.engine->wholes;
        r = ask(p, 3);
    }
    assert_string_equal(r->plan, "remote");
    assert_string_equal(r->recovered, "");
    assert_true(r->timing.cloud_us > 0);
    clv_request_free(r);
    assert_int_equal(p->edge.engine->wholes, before);
    cloud_stop(&p->cloud);
    r = ask(p, 2);
    assert_true(r->recovered[0] || r->hedged[0] || strcmp(r->plan, "local") == 0);
    clv_request_free(r);
    await(plan_is(p, "local"));
    cloud_start(&p->cloud);
    await(plan_is(p, "remote"));
    r = ask(p, 1);
    assert_string_equal(r->plan, "remote");
    clv_request_free(r);
}

/* ---- light and heavy load ---- */

enum { WAITING_MAX = 32, APART_US = 15000 };

/* Requests that come every 15 ms, whatever becomes of those before them. */
typedef struct crowd {
    pair *p;
    const clv_tensors *right;
    atomic_bool enough;
    atomic_int sent, answered, wrong, shared; /* shared: run by both nodes */
    pthread_t thread;
} crowd;

static bool is_right(const clv_tensors *got, const clv_tensors *right)
{
    bool same = got->n == right->n;
    for (size_t i = 0; same && i < right->n; i++) {
        const clv_tensor *a = &right->items[i], *b = clv_tensors_find(got, a->name);
        same = b && a->bytes == b->bytes;
        for (size_t k = 0; same && k < a->bytes / sizeof(float); k++)
            same = fabsf(((const float *)a->data)[k] - ((const float *)b->data)[k]) <= 1e-5F;
    }
    return same;
}

static void on_one_of_them(clv_request *r)
{
    crowd *c = r->asker;
    atomic_fetch_add(&c->wrong, r->error.status || !is_right(&r->outputs, c->right));
    atomic_fetch_add(&c->shared, r->timing.edge_us > 0 && r->timing.cloud_us > 0);
    clv_request_free(r);
    atomic_fetch_add(&c->answered, 1);
}

static void *come(void *arg)
{
    crowd *c = arg;
    while (!atomic_load(&c->enough)) {
        clv_sleep_us(APART_US);
        if (c->sent - c->answered >= WAITING_MAX) continue;
        clv_request *r = clv_request_new("chain");
        clv_tensors_add(&r->inputs, numbers("x", 1, 4));
        r->done = on_one_of_them;
        r->asker = c;
        atomic_fetch_add(&c->sent, 1);
        clv_server_submit(c->p->edge.server, r);
    }
    return NULL;
}

static bool mode_is(pair *p, const char *mode)
{
    clv_error err = {0};
    clv_model_info info;
    assert_ok(clv_server_model(p->edge.server, "chain", "", &info, &err), err);
    bool is = info.mode && strcmp(info.mode, mode) == 0;
    clv_model_info_done(&info);
    return is;
}

static void look_settled(void *arg)
{
    pair *p = arg;
    atomic_store(&p->settled, clv_server_settled(p->edge.server));
}

static bool is_settled(pair *p)
{
    clv_loop_post(p->edge.loop, look_settled, p);
    return atomic_load(&p->settled);
}

/* More come than the edge alone can take: the plan for throughput takes over, with both nodes in it. When one is left who waits for
 * each answer, the plan for latency comes back. No request is lost or wrong meanwhile. */
static void heavy_load_changes_the_mode_and_back(void **state)
{
    pair *p = *state;
    await(is_settled(p));
    await(plan_is(p, "local"));
    assert_true(mode_is(p, "latency"));
    clv_request *first = ask(p, 1);
    crowd c = {.p = p, .right = &first->outputs};
    pthread_create(&c.thread, NULL, come, &c);
    await(mode_is(p, "throughput"));
    await(atomic_load(&c.shared) > 20);
    atomic_store(&c.enough, true);
    pthread_join(c.thread, NULL);
    await(c.answered == c.sent);
    assert_int_equal(c.wrong, 0);
    await((clv_request_free(ask(p, 1)), clv_sleep_us(20000), mode_is(p, "latency")));
    await((clv_request_free(ask(p, 1)), plan_is(p, "local")));
    assert_int_equal(c.answered, c.sent); /* none of them was answered twice */
    clv_request_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_model_is_pushed_and_runs_on_the_other_node, start_pair,
                                        stop_pair),
        cmocka_unit_test_setup_teardown(heavy_load_changes_the_mode_and_back, start_even_pair,
                                        stop_pair),
    };
    return cmocka_run_group_tests_name("two_nodes", tests, NULL, NULL);
}
