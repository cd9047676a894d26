/* The networks on ONNX Runtime: they load, run at any batch, and give answers that depend on the
 * picture. alexnet and vgg16 are chains like lenet and left out for their size. */
#include "base/file.h"
#include "base/rng.h"
#include "engine/ort.h"
#include "unit.h"
#include "zoo/zoo.h"

#include <math.h>
#include <stdlib.h>

enum { PICTURES = 6 };

/* Noise in squares of `square` pixels, with mean 0 and variance 1. */
static void paint(clv_tensor *t, int square, uint64_t seed)
{
    clv_rng r = clv_rng_seeded(seed);
    float *x = t->data;
    int64_t w = t->shape.dim[3], n = (int64_t)(t->bytes / sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        int64_t column = i % w, row = i / w % w, corner = i - column % square - row % square * w;
        x[i] = corner == i ? (float)clv_rng_normal(&r) : x[corner];
    }
}

typedef struct answer {
    int top;
    double deviation;
} answer;

static answer answer_of(const float *logits, int n)
{
    answer a = {0};
    double sum = 0, square = 0;
    for (int i = 0; i < n; i++) {
        assert_true(isfinite(logits[i]));
        if (logits[i] > logits[a.top]) a.top = i;
        sum += logits[i];
        square += logits[i] * (double)logits[i];
    }
    a.deviation = sqrt(square / n - sum / n * (sum / n));
    return a;
}

/* All pictures of one kind in one batch. */
static void look_at_pictures(clv_session *s, const char *name, int square)
{
    clv_error err = {0};
    clv_tensor in;
    clv_tensors out = {0};
    clv_shape shape = s->inputs[0].shape;
    assert_int_equal(shape.dim[0], -1);
    shape.dim[0] = PICTURES;
    assert_ok(clv_tensor_new(&in, "input", CLV_F32, shape, &err), err);
    paint(&in, square, 11);
    assert_ok(clv_session_run(s, &in, 1, &out, &err), err);
    int classes = (int)out.items[0].shape.dim[1], differ = 0;
    answer a[PICTURES];
    for (int i = 0; i < PICTURES; i++) {
        a[i] = answer_of((const float *)out.items[0].data + i * classes, classes);
        if (a[i].deviation < 0.1 || a[i].deviation > 10)
            fail_msg("%s: logits deviate by %g", name, a[i].deviation);
        differ += a[i].top != a[0].top;
    }
    if (differ < 2) fail_msg("%s: all pictures look alike to it", name);
    clv_tensors_done(&out);
    clv_tensor_done(&in);
}

static void answers_depend_on_the_picture(void **state)
{
    (void)state;
    static const char *const names[] = {"lenet", "mobilenet_v2", "resnet18", "googlenet"};
    clv_error err = {0};
    clv_engine *engine;
    char *dir;
    assert_ok(clv_ort_engine_new(&(clv_ort_options){.threads = 2}, &engine, &err), err);
    assert_ok(clv_dir_temp("answers", &dir, &err), err);
    for (size_t i = 0; i < CLV_COUNT(names); i++) {
        const clv_zoo_network *network;
        clv_zoo_facts facts;
        clv_map map;
        clv_session *s;
        assert_ok(clv_zoo_find(names[i], &network, &err), err);
        assert_ok(clv_zoo_write(network, 1, dir, &facts, &err), err);
        assert_ok(clv_map_open(facts.path, &map, &err), err);
        clv_source source = {.name = names[i], .model = map.data, .model_bytes = map.bytes};
        assert_ok(clv_engine_compile(engine, &source, &s, &err), err);
        look_at_pictures(s, names[i], 1);
        look_at_pictures(s, names[i], i ? 16 : 4);
        clv_session_free(s);
        clv_map_done(&map);
        clv_zoo_facts_done(&facts);
    }
    clv_dir_remove(dir);
    free(dir);
    clv_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_depend_on_the_picture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
