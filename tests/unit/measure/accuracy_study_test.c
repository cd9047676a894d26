/* What codecs cost in accuracy, against samples that go through the segments one by one, on a real engine. */
#include "measure/accuracy_study.h"

#include "base/file.h"
#include "engine/ort.h"
#include "model.h"
#include "tensor/codec.h"

enum { SAMPLES = 117, WIDTH = 8, CLASSES = 5 };

/* x [N,8] -> a -> b [N,64] -> y [N,5]: coarse codecs change some answers. */
static model *dense(void)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,8");
    model_weights(m, "w1", 1, "8,64");
    model_weights(m, "w2", 2, "64,64");
    model_weights(m, "w3", 3, "64,5");
    model_node(m, "MatMul", "x,w1", "a", NULL);
    model_node(m, "Tanh", "a", "b", NULL);
    model_node(m, "MatMul", "b,w2", "c", NULL);
    model_node(m, "Tanh", "c", "d", NULL);
    model_node(m, "MatMul", "d,w3", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,5");
    return m;
}

/* The batch is the second dimension of what crosses in the middle, and a first exit is made before it. */
static model *turned(void)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,8");
    model_weights(m, "w1", 4, "8,5");
    model_weights(m, "w2", 5, "5,3");
    model_node(m, "MatMul", "x,w1", "y", NULL);
    model_node(m, "Transpose", "y", "t", "perm=1,0");
    model_node(m, "Tanh", "t", "u", NULL);
    model_node(m, "Transpose", "u", "v", "perm=1,0");
    model_node(m, "MatMul", "v,w2", "z", NULL);
    model_output(m, "y", ONNX_F32, "N,5");
    model_output(m, "z", ONNX_F32, "N,3");
    return m;
}

typedef struct rig {
    char *dir;
    clv_engine *engine;
    clv_network *net;
    float x[SAMPLES][WIDTH];
    int labels[SAMPLES];
    clv_samples samples;
    size_t largest, reads;
} rig;

static clv_status read_samples(void *arg, size_t first, size_t n, clv_tensor *out, clv_error *err)
{
    rig *r = arg;
    assert_true(n > 0 && first + n <= SAMPLES);
    r->largest = CLV_MAX(r->largest, n);
    r->reads++;
    clv_status s = clv_tensor_new(out, "x", CLV_F32, clv_shape_of(2, (int)n, (int)WIDTH), err);
    if (s == CLV_OK) memcpy(out->data, r->x[first], n * sizeof r->x[0]);
    return s;
}

/* Through the segments as they are, one sample, with or without a codec: the answer. */
static int answer(rig *r, size_t sample, size_t cut, const clv_codec *codec, double *bytes)
{
    clv_error err = {0};
    clv_tensors x = {0}, at = {0}, live = {0}, out = {0};
    clv_segment *prefix = NULL, *suffix = NULL;
    const clv_graph *g = clv_network_graph(r->net);
    const clv_cuts *cuts = clv_network_cuts(r->net);
    clv_tensors_add(cut > 0 ? &x : &at,
                    clv_tensor_view("x", CLV_F32, clv_shape_of(2, 1, (int)WIDTH), r->x[sample],
                                    sizeof r->x[0]));
    if (cut > 0) {
        assert_ok(clv_network_segment(r->net, 0, cut, &prefix, &err), err);
        assert_ok(clv_segment_run(prefix, x.items, 1, &at, &err), err);
    }
    for (size_t i = 0; i < cuts->items[cut].n_live; i++) {
        const clv_tensor *t = clv_tensors_find(&at, g->tensors[cuts->items[cut].live[i]].name);
        clv_tensor coded, back;
        assert_ok(clv_codec_encode(*codec, t, &coded, &err), err);
        assert_ok(clv_codec_decode(&coded, &back, &err), err);
        *bytes += (double)coded.bytes;
        clv_tensors_add(&live, back);
        clv_tensor_done(&coded);
    }
    assert_ok(clv_network_segment(r->net, cut, cuts->n - 1, &suffix, &err), err);
    assert_ok(clv_segment_run(suffix, live.items, live.n, &out, &err), err);
    const clv_tensor *y = clv_tensors_find(&out, "y");
    if (!y) y = clv_tensors_find(&at, "y");
    int best = 0;
    for (int k = 1; k < CLASSES; k++)
        if (((const float *)y->data)[k] > ((const float *)y->data)[best]) best = k;
    clv_segment_unref(prefix);
    clv_segment_unref(suffix);
    clv_tensors_done(&x);
    clv_tensors_done(&at);
    clv_tensors_done(&live);
    clv_tensors_done(&out);
    return best;
}

static void start(rig *r, model *m)
{
    clv_error err = {0};
    clv_rng rng = clv_rng_seeded(11);
    memset(r, 0, sizeof *r);
    assert_ok(clv_dir_temp("study", &r->dir, &err), err);
    char *path = clv_path_join(r->dir, "m.onnx");
    model_write(m, path);
    model_free(m);
    assert_ok(
        clv_ort_engine_new(&(clv_ort_options){.device = "cpu", .threads = 1}, &r->engine, &err),
        err);
    assert_ok(clv_network_open(path, r->engine, &(clv_network_options){0}, &r->net, &err), err);
    free(path);
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t k = 0; k < WIDTH; k++) r->x[i][k] = (float)clv_rng_normal(&rng);
    r->samples = (clv_samples){
        .name = "normal", .n = SAMPLES, .labels = r->labels, .read = read_samples, .arg = r};
    const clv_codec raw = {0};
    double unused = 0;
    for (size_t i = 0; i < SAMPLES; i++) { /* nine of ten right */
        r->labels[i] = answer(r, i, 0, &raw, &unused);
        if (i % 10 == 3) r->labels[i] = (r->labels[i] + 1) % CLASSES;
    }
}

static void stop(rig *r)
{
    clv_network_unref(r->net);
    clv_engine_free(r->engine);
    clv_dir_remove(r->dir);
    free(r->dir);
}

/* The whole result, worked out sample by sample. */
static void check_codec(rig *r, const clv_profile *p, size_t cut, clv_codec c, double *drops)
{
    const clv_codec raw = {0};
    const clv_profile_codec *k = clv_profile_codec_find(p, clv_codec_show(c).s);
    double bytes = 0, unused = 0, right = 0, sum = 0, squares = 0;
    assert_non_null(k);
    for (size_t i = 0; i < SAMPLES; i++) {
        bool uncut = answer(r, i, cut, &raw, &unused) == r->labels[i];
        bool coded = answer(r, i, cut, &c, &bytes) == r->labels[i];
        double lost = (double)uncut - (double)coded;
        right += coded;
        sum += lost;
        squares += lost * lost;
    }
    assert_float_equal(k->cut_bytes[cut], bytes / SAMPLES, 1e-6);
    if (!clv_codec_lossy(c)) {
        assert_null(k->cut_drop);
        assert_null(k->cut_accuracy);
        return;
    }
    double mean = sum / SAMPLES;
    double variance = (squares - SAMPLES * mean * mean) / (SAMPLES - 1); /* of one */
    assert_float_equal(k->cut_accuracy[cut], right / SAMPLES, 1e-9);
    assert_float_equal(k->cut_drop[cut], fmax(0, mean + sqrt(variance / SAMPLES)), 1e-9);
    *drops += k->cut_drop[cut];
}

static clv_profile *study(rig *r, clv_accuracy_study o)
{
    clv_error err = {0};
    clv_profile *p = clv_profiler_blank(r->net);
    assert_ok(clv_accuracy_study_run(r->net, &r->samples, &o, p, &err), err);
    assert_string_equal(p->data, "normal");
    assert_int_equal(p->samples, SAMPLES);
    double right = 0, unused = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        right += answer(r, i, 0, &(clv_codec){0}, &unused) == r->labels[i];
    assert_float_equal(p->accuracy, right / SAMPLES, 1e-9);
    return p;
}

typedef struct steps {
    size_t last, total;
} steps;

static void count(void *arg, size_t done, size_t total)
{
    steps *s = arg;
    assert_true(done >= s->last && done <= total);
    assert_true(s->last == 0 || s->total == total);
    *s = (steps){done, total};
}

static void every_cut_and_codec_is_as_sample_by_sample(void **state)
{
    (void)state;
    rig r;
    steps s = {0};
    double drops = 0;
    start(&r, dense());
    clv_accuracy_study o = {.batch = 50, .progress = count, .arg = &s};
    clv_profile *p = study(&r, o);
    assert_int_equal(r.largest, 50);
    assert_int_equal(s.last, s.total);
    assert_int_equal(s.total, clv_accuracy_study_steps(r.net, &r.samples, &o));
    assert_true(p->n_cuts >= 5);
    for (size_t cut = 0; cut + 1 < p->n_cuts; cut++)
        for (size_t i = 1; i < CLV_CODECS; i++) check_codec(&r, p, cut, clv_codec_at(i), &drops);
    assert_true(drops > 0); /* else nothing was tested */
    const clv_profile_codec *q4 = clv_profile_codec_find(p, "q4");
    assert_float_equal(q4->cut_drop[p->n_cuts - 1], 0, 0);
    assert_float_equal(q4->cut_accuracy[p->n_cuts - 1], p->accuracy, 0);
    char *text = clv_profile_json(p); /* and it can be read */
    clv_profile *again = NULL;
    clv_error err = {0};
    assert_ok(clv_profile_parse(text, strlen(text), &again, &err), err);
    assert_int_equal(again->n_codecs, CLV_CODECS - 1);
    free(text);
    clv_profile_free(again);
    clv_profile_free(p);
    stop(&r);
}

static void the_size_of_batches_changes_nothing(void **state)
{
    (void)state;
    rig r;
    start(&r, dense());
    clv_profile *a = study(&r, (clv_accuracy_study){.batch = 7}),
                *b = study(&r, (clv_accuracy_study){.batch = 1});
    for (size_t i = 0; i < a->n_codecs; i++) {
        const clv_profile_codec *x = &a->codecs[i], *y = &b->codecs[i];
        assert_string_equal(x->name, y->name);
        for (size_t k = 0; k < a->n_cuts; k++) {
            assert_float_equal(x->cut_bytes[k], y->cut_bytes[k], 1e-9);
            if (x->cut_drop) assert_float_equal(x->cut_drop[k], y->cut_drop[k], 1e-9);
        }
    }
    clv_profile_free(a);
    clv_profile_free(b);
    stop(&r);
}

static void a_batch_that_is_not_in_front_runs_one_by_one(void **state)
{
    (void)state;
    rig r;
    double drops = 0;
    start(&r, turned());
    clv_profile *p = study(&r, (clv_accuracy_study){.batch = 5}); /* as many as classes: [5,5] */
    for (size_t cut = 0; cut + 1 < p->n_cuts; cut++)
        for (size_t i = 1; i < CLV_CODECS; i++) check_codec(&r, p, cut, clv_codec_at(i), &drops);
    clv_profile_free(p);
    stop(&r);
}

static void a_limit_leaves_cuts_out(void **state)
{
    (void)state;
    rig r;
    start(&r, dense());
    clv_profile *p = study(&r, (clv_accuracy_study){.max_cuts = 1});
    const clv_profile_codec *q8 = clv_profile_codec_find(p, "q8");
    size_t known = 0;
    for (size_t k = 0; k + 1 < p->n_cuts; k++) {
        known += q8->cut_bytes[k] > 0;
        if (q8->cut_bytes[k] > 0) continue;
        assert_float_equal(q8->cut_drop[k], 1, 0);
        assert_float_equal(q8->cut_accuracy[k], 0, 0);
    }
    assert_int_equal(known, 2); /* the input, and one more */
    assert_true(q8->cut_bytes[0] > 0);
    clv_profile_free(p);
    stop(&r);
}

static clv_status broken_read(void *arg, size_t first, size_t n, clv_tensor *out, clv_error *err)
{
    (void)n;
    (void)out;
    if (first == 0) return read_samples(arg, first, n, out, err);
    return clv_fail(err, CLV_EIO, "the disk is gone");
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    rig r;
    clv_error err = {0};
    start(&r, dense());
    clv_profile *p = clv_profiler_blank(r.net);
    const clv_accuracy_study o = {0};
    r.labels[20] = CLASSES;
    assert_int_equal(clv_accuracy_study_run(r.net, &r.samples, &o, p, &err), CLV_EINVAL);
    assert_non_null(
        strstr(err.text, "sample 20 of normal has label 5, the network has the classes 0 to 4"));
    r.labels[20] = -1;
    assert_int_equal(clv_accuracy_study_run(r.net, &r.samples, &o, p, &err), CLV_EINVAL);
    r.labels[20] = CLASSES - 1;
    r.samples.read = broken_read;
    assert_int_equal(clv_accuracy_study_run(r.net, &r.samples, &o, p, &err), CLV_EIO);
    r.samples.n = 0;
    assert_int_equal(clv_accuracy_study_run(r.net, &r.samples, &o, p, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "normal has 0 samples"));
    clv_profile_free(p);
    stop(&r);
}

static void segments_that_were_resident_stay(void **state)
{
    (void)state;
    rig r;
    clv_error err = {0};
    clv_segment *mine = NULL;
    start(&r, dense());
    clv_profile *p = clv_profiler_blank(r.net);
    for (size_t from = 0; from < p->n_cuts; from++)
        for (size_t to = 0; to < p->n_cuts; to++) clv_network_evict(r.net, from, to);
    assert_ok(clv_network_segment(r.net, 0, 2, &mine, &err), err);
    clv_segment_unref(mine);
    assert_ok(clv_accuracy_study_run(r.net, &r.samples, &(clv_accuracy_study){0}, p, &err), err);
    mine = clv_network_resident(r.net, 0, 2);
    assert_non_null(mine);
    clv_segment_unref(mine);
    assert_null(clv_network_resident(r.net, 0, 1));
    assert_null(clv_network_resident(r.net, 2, p->n_cuts - 1));
    clv_profile_free(p);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_and_codec_is_as_sample_by_sample),
        cmocka_unit_test(the_size_of_batches_changes_nothing),
        cmocka_unit_test(a_batch_that_is_not_in_front_runs_one_by_one),
        cmocka_unit_test(a_limit_leaves_cuts_out),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(segments_that_were_resident_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
