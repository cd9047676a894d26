/* An edge's server and a real cloud node in one process: two loops, two engines, the real port between them. */
#include "api/api.h"
#include "serve/rig.h"

static const char token[] = "a-token-of-the-test";

typedef struct cloud {
    rig r;
    clv_http_server *http;
    char url[64];
    int port;
} cloud;

/* The same address again if there was one. */
static void cloud_start(cloud *c)
{
    clv_error err = {0};
    serve(&c->r, true);
    clv_loop_stop(c->r.loop); /* the port is made before the loop runs */
    pthread_join(c->r.thread, NULL);
    clv_http_server_options o = {.host = "127.0.0.1", .port = c->port, .token = token};
    assert_ok(clv_http_server_new(c->r.loop, &o, &clv_api_handler, c->r.server, &c->http, &err),
              err);
    c->port = clv_http_server_port(c->http);
    snprintf(c->url, sizeof c->url, "http://127.0.0.1:%d", c->port);
    pthread_create(&c->r.thread, NULL, edge_run, c->r.loop);
}

static void cloud_stop(cloud *c)
{
    if (!c->http) return;
    clv_loop_stop(c->r.loop);
    pthread_join(c->r.thread, NULL);
    clv_http_server_free(c->http);
    c->http = NULL;
    pthread_create(&c->r.thread, NULL, edge_run, c->r.loop); /* for unserve() */
    unserve(&c->r);
}

typedef struct pair {
    rig edge;
    cloud cloud;
    char *folder;
} pair;

static void folders(rig *r, const char *folder, const char *name)
{
    clv_error err = {0};
    r->models = clv_format("%s/%s-models", folder, name);
    r->profiles = clv_format("%s/%s-profiles", folder, name);
    assert_ok(clv_dir_make(r->models, &err), err);
}

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
                            .peer_token = token,
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
