/* The profiler on a real network and the real engine. No time is asserted: only what must hold of
 * any. */
#include "measure/profiler.h"

#include "base/file.h"
#include "engine/ort.h"
#include "unit.h"
#include "zoo/zoo.h"

#include <stdlib.h>
#include <string.h>

typedef struct rig {
    char *dir;
    clv_engine *engine;
    clv_network *net;
} rig;

static int setup(void **state)
{
    static rig r;
    clv_error err = {0};
    const clv_zoo_network *lenet;
    clv_zoo_facts facts = {0};
    if (clv_dir_temp("profiler", &r.dir, &err) || clv_zoo_find("lenet", &lenet, &err) ||
        clv_zoo_write(lenet, 1, r.dir, &facts, &err) ||
        clv_ort_engine_new(&(clv_ort_options){.device = "cpu", .threads = 1}, &r.engine, &err) ||
        clv_network_open(facts.path, r.engine, &(clv_network_options){0}, &r.net, &err)) {
        print_error("%s\n", err.text);
        return -1;
    }
    clv_zoo_facts_done(&facts);
    *state = &r;
    return 0;
}

static int teardown(void **state)
{
    rig *r = *state;
    clv_network_unref(r->net);
    clv_engine_free(r->engine);
    clv_dir_remove(r->dir);
    free(r->dir);
    return 0;
}

typedef struct steps {
    size_t last, total, calls;
} steps;

static void count(void *arg, size_t done, size_t total)
{
    steps *s = arg;
    assert_true(done >= s->last && done <= total);
    assert_true(s->calls++ == 0 || s->total == total);
    s->last = done;
    s->total = total;
}

static clv_profile *run(rig *r, clv_profiler_options o, steps *s)
{
    clv_error err = {0};
    clv_profile *p = NULL;
    assert_ok(clv_profiler_run(r->net, r->engine, &o, count, s, &p, &err), err);
    assert_int_equal(s->last, s->total);
    assert_int_equal(s->total, clv_profiler_steps(r->net, &o));
    return p;
}

static void every_cut_of_lenet_is_timed(void **state)
{
    rig *r = *state;
    steps s = {0};
    clv_error err = {0};
    clv_profiler_options o = {
        .model = "lenet", .threads = 1, .budget_us = 1000000, .all = true, .slowdown = 1};
    assert_ok(clv_speedometer_new(r->engine, 1, &o.speedometer, &err), err);
    assert_ok(clv_speedometer_visit(o.speedometer, &err), err);
    clv_profile *p = run(r, o, &s);
    assert_true(p->reference.us > 0 && p->reference.n > 0);
    clv_speedometer_free(o.speedometer);
    const clv_cuts *cuts = clv_network_cuts(r->net);
    assert_int_equal(p->n_cuts, cuts->n);
    assert_string_equal(p->model, "lenet");
    assert_string_equal(p->digest, clv_network_digest(r->net));
    assert_string_equal(p->device, "cpu");
    for (size_t i = 0; i < p->n_cuts; i++) {
        assert_true(clv_profile_has_prefix(p, i) && clv_profile_has_suffix(p, i));
        assert_int_equal(p->cuts[i].prefix.us > 0, i > 0);
        assert_int_equal(p->cuts[i].suffix.us > 0, i + 1 < p->n_cuts);
        assert_int_equal(p->cuts[i].up_bytes, cuts->items[i].bytes);
        assert_int_equal(p->cuts[i].down_bytes, i + 1 < p->n_cuts ? 40 : 0);
    }
    const clv_profile_codec *q8 = clv_profile_codec_find(p, "q8"); /* needs data to be offered */
    const clv_profile_codec *f16 = clv_profile_codec_find(p, "f16");
    assert_true(q8->encode_us_per_mb > 0 && q8->decode_us_per_mb > 0);
    assert_true(f16->encode_us_per_mb > 0 && f16->decode_us_per_mb > 0);
    for (size_t i = 0; i < p->n_cuts; i++) {
        assert_true(q8->cut_bytes[i] <= 0);
        assert_int_equal(f16->cut_bytes[i] > 0, i + 1 < p->n_cuts);
        assert_true(f16->cut_bytes[i] <= (double)p->cuts[i].up_bytes);
    }
    double sum = 0;
    for (size_t u = 0; u < p->n_units; u++) {
        assert_true(p->units[u].us >= 0);
        sum += p->units[u].us;
    }
    assert_float_equal(sum, p->cuts[p->n_cuts - 1].prefix.us, 1e-6 * sum);
    char *text = clv_profile_json(p); /* and it is a profile that can be read */
    clv_profile *again = NULL;
    assert_ok(clv_profile_parse(text, strlen(text), &again, &err), err);
    clv_profile_free(again);
    free(text);
    clv_profile_free(p);
}

static void a_limit_leaves_cuts_unmeasured(void **state)
{
    rig *r = *state;
    steps s = {0};
    clv_profile *p = run(
        r, (clv_profiler_options){.threads = 1, .max_cuts = 2, .budget_us = 500000, .all = true},
        &s);
    size_t n = 0;
    for (size_t i = 1; i + 1 < p->n_cuts; i++) {
        assert_int_equal(p->cuts[i].prefix.n > 0, p->cuts[i].suffix.n > 0);
        n += p->cuts[i].prefix.n > 0;
        if (p->cuts[i].prefix.n == 0) assert_true(p->cuts[i].prefix.us <= 0);
    }
    assert_int_equal(n, 2);
    clv_profile_free(p);
}

static void a_side_that_is_not_wanted_is_not_timed(void **state)
{
    rig *r = *state;
    steps s = {0};
    clv_profiler_options o = {
        .threads = 1, .max_cuts = 1, .budget_us = 200000, .all = true, .no_suffixes = true};
    clv_profile *p = run(r, o, &s);
    for (size_t i = 1; i + 1 < p->n_cuts; i++) assert_int_equal(p->cuts[i].suffix.n, 0);
    assert_true(p->cuts[0].suffix.n > 0); /* the whole always is */
    assert_int_equal(p->reference.n, 0);  /* nobody looked */
    clv_profile_free(p);
}

static void segments_that_were_resident_stay(void **state)
{
    rig *r = *state;
    steps s = {0};
    clv_error err = {0};
    clv_segment *mine = NULL;
    size_t last = clv_network_cuts(r->net)->n - 1;
    assert_ok(clv_network_segment(r->net, 0, 3, &mine, &err), err);
    clv_segment_unref(mine);
    clv_profile_free(
        run(r, (clv_profiler_options){.threads = 1, .budget_us = 300000, .all = true}, &s));
    mine = clv_network_resident(r->net, 0, 3);
    assert_non_null(mine);
    clv_segment_unref(mine);
    assert_null(clv_network_resident(r->net, 3, last));
    assert_null(clv_network_resident(r->net, 0, 2));
    clv_network_evict(r->net, 0, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_of_lenet_is_timed),
        cmocka_unit_test(a_limit_leaves_cuts_unmeasured),
        cmocka_unit_test(a_side_that_is_not_wanted_is_not_timed),
        cmocka_unit_test(segments_that_were_resident_stay),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
