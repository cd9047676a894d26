/* Requests that wait for the same segment, run as one: fewer runs, the same answers, and never where rows mix. */
#include "split/edge.h"

enum { N = 12, BATCH_MAX = 8, FIXED_US = 20000 };

typedef struct fixture {
    char *folder;
    edge e; /* without a peer */
} fixture;

static int stop(void **state)
{
    fixture *f = *state;
    edge_stop(&f->e);
    clv_dir_remove(f->folder);
    free(f->folder);
    free(f);
    return 0;
}

static fixture *start_with(model *take, size_t batch_max)
{
    clv_error err = {0};
    fixture *f = clv_alloc(sizeof *f);
    assert_ok(clv_dir_temp("together", &f->folder, &err), err);
    char *path = clv_path_join(f->folder, "model.onnx");
    model_write(take, path);
    model_free(take);
    edge *e = &f->e;
    *e = (edge){.engine = counting_new(), .loop = clv_loop_new()};
    assert_ok(
        clv_network_open(path, &e->engine->base, &(clv_network_options){0}, &e->network, &err),
        err);
    free(path);
    e->last = clv_network_cuts(e->network)->n - 1;
    e->compute = clv_lane_new("compute", 1024, -1);
    e->build = clv_lane_new("build", 1024, -1);
    clv_splitter_options o = {.model = "chain",
                              .version = "1",
                              .network = e->network,
                              .compute = e->compute,
                              .build = e->build,
                              .prepare = e->build,
                              .loop = e->loop,
                              .batch_max = batch_max};
    assert_ok(clv_splitter_new(&o, &e->splitter, &err), err);
    pthread_create(&e->thread, NULL, edge_run, e->loop);
    atomic_store(&e->engine->run_us, FIXED_US); /* of every run, however many rows: sharing pays */
    return f;
}

/* Row i of the inputs is its own. */
static clv_tensor row(int i)
{
    clv_tensor t = numbers("x", 1, 4);
    float *v = t.data;
    for (int k = 0; k < 4; k++) v[k] = (float)((i * 7 + k * 3) % 11) * 0.1F - 0.4F;
    return t;
}

/* What the whole network makes of the row, alone. */
static void assert_as_alone(edge *e, const clv_request *r, int i)
{
    clv_error err = {0};
    clv_segment *whole;
    clv_tensors right = {0};
    clv_tensor x = row(i);
    assert_ok(r->error.status, r->error);
    assert_ok(clv_network_segment(e->network, 0, e->last, &whole, &err), err);
    assert_ok(clv_segment_run(whole, &x, 1, &right, &err), err);
    atomic_fetch_sub(&e->engine->wholes, 1);
    for (size_t k = 0; k < right.n; k++) {
        const clv_tensor *t = clv_tensors_find(&r->outputs, right.items[k].name);
        assert_non_null(t);
        assert_true(clv_shape_equal(&t->shape, &right.items[k].shape));
        const float *a = t->data, *b = right.items[k].data;
        for (size_t n = 0; n < t->bytes / sizeof *a; n++) assert_true(fabsf(a[n] - b[n]) <= 1e-5F);
    }
    clv_tensors_done(&right);
    clv_tensor_done(&x);
    clv_segment_unref(whole);
}

/* N requests of different askers at once, behind one that holds the lane. Runs of the network that they took. */
static int flood(fixture *f)
{
    edge *e = &f->e;
    asked gate, all[N];
    atomic_store(&e->engine->hold, true);
    int before = e->engine->wholes;
    clv_splitter_run(e->splitter, question(&gate, row(0)));
    await(e->engine->wholes == before + 1);
    for (int i = 0; i < N; i++) {
        clv_request *q = question(&all[i], row(i + 1));
        q->account = (uint64_t)(i % 3) + 1;
        clv_splitter_run(e->splitter, q);
    }
    atomic_store(&e->engine->hold, false);
    clv_request_free(answer_of(&gate));
    clv_request *answers[N];
    for (int i = 0; i < N; i++) answers[i] = answer_of(&all[i]);
    int runs = e->engine->wholes - before - 1;
    size_t shared = 0;
    for (int i = 0; i < N; i++) {
        assert_as_alone(e, answers[i], i + 1);
        shared += answers[i]->shared;
        const clv_timing *t = &answers[i]->timing;
        assert_true(t->edge_us >= FIXED_US); /* queue and compute times stay apart */
        assert_true(t->total_us >= t->wait_us + t->edge_us);
        clv_request_free(answers[i]);
    }
    assert_true(runs < N ? shared >= 2 : shared == 0); /* who shared a run says so */
    return runs;
}

static void warm(fixture *f)
{
    for (int i = 0; i < 4; i++) {
        asked a;
        clv_splitter_run(f->e.splitter, question(&a, row(i)));
        clv_request_free(answer_of(&a));
    }
}

static int start_chain(void **state)
{
    *state = start_with(chain(), BATCH_MAX);
    return 0;
}

static void those_that_wait_share_runs(void **state)
{
    fixture *f = *state;
    warm(f);
    (void)flood(f); /* the first opportunity: it is looked whether rows mix */
    uint64_t shared = clv_lane_look(f->e.compute).together;
    int runs = flood(f);
    assert_in_range(runs, (N + BATCH_MAX - 1) / BATCH_MAX, N / 2);
    assert_true(clv_lane_look(f->e.compute).together > shared);
}

static int start_alone(void **state)
{
    *state = start_with(chain(), 1);
    return 0;
}

static void batch_max_of_one_shares_nothing(void **state)
{
    fixture *f = *state;
    warm(f);
    assert_int_equal(flood(f), N);
    assert_int_equal(flood(f), N);
    assert_int_equal(clv_lane_look(f->e.compute).together, 0);
}

/* Each row less the mean of all rows: a batch is not as good as its rows. */
static int start_mixing(void **state)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_weights(m, "w", 1, "4,3");
    model_node(m, "ReduceMean", "x", "m", "axes=0,;keepdims=1");
    model_node(m, "Sub", "x,m", "d", NULL);
    model_node(m, "Add", "x,d", "s", NULL);
    model_node(m, "MatMul", "s,w", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,3");
    *state = start_with(m, BATCH_MAX);
    return 0;
}

static void rows_that_mix_are_never_run_together(void **state)
{
    fixture *f = *state;
    warm(f);
    (void)flood(f);
    assert_int_equal(flood(f), N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(those_that_wait_share_runs, start_chain, stop),
        cmocka_unit_test_setup_teardown(batch_max_of_one_shares_nothing, start_alone, stop),
        cmocka_unit_test_setup_teardown(rows_that_mix_are_never_run_together, start_mixing, stop),
    };
    return cmocka_run_group_tests_name("together", tests, NULL, NULL);
}
