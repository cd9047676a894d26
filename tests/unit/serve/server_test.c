/* Models and requests of a node, without its port: what is found, refused, pushed, profiled, and how it ends. */
#include "serve/rig.h"

static clv_request *ask(rig *r, clv_request *q, asked *a)
{
    clv_server_submit(r->server, q);
    return answer_of(a);
}

static void expect_error(clv_request *r, clv_status status, const char *part)
{
    if (r->error.status != status || !strstr(r->error.text, part))
        fail_msg("got %s '%s', not %s '%s'", clv_status_name(r->error.status), r->error.text,
                 clv_status_name(status), part);
    clv_request_free(r);
}

static void a_request_is_answered_by_the_newest_version(void **state)
{
    rig *r = *state;
    serve(r, false);
    await(clv_server_ready(r->server));
    asked a;
    clv_request *q = ask(r, question(&a, numbers("x", 2, 4)), &a);
    assert_ok(q->error.status, q->error);
    assert_string_equal(q->version, "1");
    assert_int_equal(q->outputs.n, 2);
    clv_request_free(q);
}

static void unknown_models_and_versions_are_named(void **state)
{
    rig *r = *state;
    serve(r, false);
    await(clv_server_ready(r->server));
    asked a;
    clv_request *q = question(&a, numbers("x", 1, 4));
    free(q->model);
    q->model = clv_strdup("nobody");
    expect_error(ask(r, q, &a), CLV_ENOTFOUND, "no model 'nobody'; this node has chain");
    q = question(&a, numbers("x", 1, 4));
    q->version = clv_strdup("7");
    expect_error(ask(r, q, &a), CLV_ENOTFOUND, "no model 'chain' version 7");
    q = question(&a, numbers("x", 1, 4));
    q->digest = clv_strdup("0123456789abcdef");
    expect_error(ask(r, q, &a), CLV_EMISMATCH, "the request expects 0123456789ab...");
}

static void a_model_that_fails_says_why_and_harms_no_other(void **state)
{
    rig *r = *state;
    clv_error err = {0};
    char *path = clv_path_join(r->models, "broken.onnx");
    assert_ok(clv_file_write(path, "nonsense", 8, &err), err);
    free(path);
    serve(r, false);
    await(clv_server_ready(r->server));
    asked a;
    clv_request *q = question(&a, numbers("x", 1, 4));
    free(q->model);
    q->model = clv_strdup("broken");
    expect_error(ask(r, q, &a), CLV_EUNAVAIL, "model 'broken' could not be loaded: ");
    size_t n;
    clv_model_info *models = clv_server_models(r->server, &n);
    assert_int_equal(n, 2);
    assert_string_equal(models[0].name, "broken");
    assert_false(models[0].ready);
    assert_non_null(models[0].reason);
    assert_string_equal(models[1].name, "chain");
    assert_true(models[1].ready);
    assert_null(models[1].reason);
    assert_int_equal(strlen(models[1].digest), CLV_DIGEST_TEXT - 1);
    for (size_t i = 0; i < n; i++) clv_model_info_done(&models[i]);
    free(models);
    q = ask(r, question(&a, numbers("x", 1, 4)), &a);
    assert_ok(q->error.status, q->error);
    clv_request_free(q);
}

/* Or it would do so for the first who asks. */
static void a_model_has_run_when_it_is_ready(void **state)
{
    rig *r = *state;
    serve(r, false);
    await(clv_server_ready(r->server));
    assert_int_equal(r->engine->warm_ups, 1);
}

/* To a shape made up of zeros and ones nothing of eight values can be brought. */
static void a_model_that_refuses_made_up_values_is_served(void **state)
{
    rig *r = *state;
    char *path = clv_path_join(r->models, "reshape.onnx");
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "2,4");
    model_input(m, "to", ONNX_I64, "2");
    model_node(m, "Reshape", "x,to", "y", NULL);
    model_output(m, "y", ONNX_F32, "A,B");
    model_write(m, path);
    model_free(m);
    free(path);
    serve(r, false);
    await(clv_server_ready(r->server));
    asked a;
    clv_request *q = question(&a, numbers("x", 2, 4));
    free(q->model);
    q->model = clv_strdup("reshape");
    int64_t *to = clv_alloc_array(2, sizeof *to);
    to[0] = 8, to[1] = 1;
    clv_shape pair = {.rank = 1, .dim = {2}};
    clv_tensors_add(&q->inputs, clv_tensor_view("to", CLV_I64, pair, to, 2 * sizeof *to));
    q = ask(r, q, &a);
    assert_ok(q->error.status, q->error);
    assert_int_equal(q->outputs.items[0].shape.dim[0], 8);
    clv_request_free(q);
    free(to);
}

static void draining_is_not_ready_but_answers(void **state)
{
    rig *r = *state;
    serve(r, false);
    await(clv_server_ready(r->server));
    clv_server_drain(r->server);
    assert_false(clv_server_ready(r->server));
    asked a;
    clv_request *q = ask(r, question(&a, numbers("x", 1, 4)), &a);
    assert_ok(q->error.status, q->error);
    clv_request_free(q);
}

static void the_end_answers_what_was_accepted(void **state)
{
    rig *r = *state;
    enum { N = 30 };
    serve(r, false);
    await(clv_server_ready(r->server));
    atomic_store(&r->engine->run_us, 1000);
    asked all[N];
    for (int i = 0; i < N; i++) clv_server_submit(r->server, question(&all[i], numbers("x", 1, 4)));
    unserve(r);
    for (int i = 0; i < N; i++) {
        assert_int_equal(all[i].answers, 1);
        clv_request_free(all[i].request);
    }
}

static void an_end_while_models_load_is_clean(void **state)
{
    rig *r = *state;
    serve(r, false);
    unserve(r);
}

static void a_full_queue_refuses(void **state)
{
    rig *r = *state;
    enum { N = 80 }; /* the lane takes 64 */
    serve(r, false);
    await(clv_server_ready(r->server));
    atomic_store(&r->engine->run_us, 3000);
    asked all[N];
    int busy = 0;
    for (int i = 0; i < N; i++) clv_server_submit(r->server, question(&all[i], numbers("x", 1, 4)));
    for (int i = 0; i < N; i++) {
        clv_request *q = answer_of(&all[i]);
        busy += q->error.status == CLV_EBUSY;
        clv_request_free(q);
    }
    assert_true(busy > 0 && busy <= N - 64);
}

/* --- profiles --- */

typedef struct waiter {
    atomic_int calls;
    clv_status status;
    size_t n_cuts;
} waiter;

static void on_profile(void *arg, const char *text, const clv_error *error)
{
    waiter *w = arg;
    clv_profile *p;
    clv_error err = {0};
    w->status = error ? error->status : CLV_OK;
    if (text && clv_profile_parse(text, strlen(text), &p, &err) == CLV_OK) {
        w->n_cuts = p->n_cuts;
        clv_profile_free(p);
    }
    atomic_fetch_add(&w->calls, 1);
}

static void all_who_wait_for_a_profile_get_it_once(void **state)
{
    rig *r = *state;
    serve(r, false);
    await(clv_server_ready(r->server));
    waiter all[5] = {0}, late = {0}, unknown = {0};
    for (int i = 0; i < 5; i++) clv_server_profile(r->server, "chain", "", on_profile, &all[i]);
    for (int i = 0; i < 5; i++) await(atomic_load(&all[i].calls) > 0);
    clv_server_profile(r->server, "chain", "1", on_profile, &late);
    await(atomic_load(&late.calls) > 0);
    clv_server_profile(r->server, "nobody", "", on_profile, &unknown);
    await(atomic_load(&unknown.calls) > 0);
    unserve(r);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(all[i].calls, 1);
        assert_int_equal(all[i].n_cuts, all[0].n_cuts);
    }
    assert_true(all[0].n_cuts > 3);
    assert_int_equal(late.n_cuts, all[0].n_cuts);
    assert_int_equal(late.calls, 1);
    assert_int_equal(unknown.status, CLV_ENOTFOUND);
}

static void who_waits_for_a_profile_is_told_of_the_end(void **state)
{
    rig *r = *state;
    serve(r, false);
    await(clv_server_ready(r->server));
    waiter w = {0};
    clv_server_profile(r->server, "chain", "", on_profile, &w);
    unserve(r);
    assert_int_equal(w.calls, 1); /* the profile, or that there will be none */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_by_the_newest_version),
        TEST(unknown_models_and_versions_are_named),
        TEST(a_model_that_fails_says_why_and_harms_no_other),
        TEST(a_model_has_run_when_it_is_ready),
        TEST(a_model_that_refuses_made_up_values_is_served),
        TEST(draining_is_not_ready_but_answers),
        TEST(the_end_answers_what_was_accepted),
        TEST(an_end_while_models_load_is_clean),
        TEST(a_full_queue_refuses),
        TEST(all_who_wait_for_a_profile_get_it_once),
        TEST(who_waits_for_a_profile_is_told_of_the_end),
    };
#undef TEST
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
