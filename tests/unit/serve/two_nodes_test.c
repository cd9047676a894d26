/* An edge's server and a real cloud node in one process: two loops, two engines, the real port between them. */
#include "serve/cloud.h"

typedef struct pair {
    rig edge;
    cloud cloud;
    char *folder;
} pair;

/* The edge has the model and runs nothing itself if it can help it. */
static int start_pair(void **state)
{
    clv_error err = {0};
    pair *p = clv_alloc(sizeof *p);
    assert_ok(clv_dir_temp("pair", &p->folder, &err), err);
    folders(&p->edge, p->folder, "edge");
    folders(&p->cloud.r, p->folder, "cloud");
    free(write_chain(p->edge.models));
    cloud_start(&p->cloud);
    rig *e = &p->edge;
    e->engine = counting_new();
    e->loop = clv_loop_new();
    e->lane = clv_lane_new("compute", 1024, -1);
    clv_server_options o = {.models = e->models,
                            .profiles = e->profiles,
                            .peer = p->cloud.url,
                            .peer_token = cloud_token,
                            .policy = "cloud",
                            .watch_every_us = 20000,
                            .threads = 1};
    assert_ok(clv_server_new(&o, e->loop, &e->engine->base, e->lane, &e->server, &err), err);
    pthread_create(&e->thread, NULL, edge_run, e->loop);
    *state = p;
    return 0;
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
    assert_string_equal(r->plan, "remote");
    assert_string_equal(r->recovered, "");
    assert_true(r->timing.cloud_us > 0);
    clv_request_free(r);
    assert_int_equal(p->edge.engine->wholes, before);
    cloud_stop(&p->cloud);
    r = ask(p, 2);
    assert_true(r->recovered[0] || strcmp(r->plan, "local") == 0);
    clv_request_free(r);
    await(plan_is(p, "local"));
    cloud_start(&p->cloud);
    await(plan_is(p, "remote"));
    r = ask(p, 1);
    assert_string_equal(r->plan, "remote");
    clv_request_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_model_is_pushed_and_runs_on_the_other_node, start_pair,
                                        stop_pair),
    };
    return cmocka_run_group_tests_name("two_nodes", tests, NULL, NULL);
}
