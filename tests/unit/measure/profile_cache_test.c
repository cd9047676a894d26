/* What was measured once is not measured again, unless something that it depends on has changed. */
#include "engine/slow.h"
#include "measure/profile_cache.h"
#include "split/edge.h"

#include <dirent.h>

typedef struct rig {
    char *folder, *cache;
    counting *engine;
    clv_network *network;
} rig;

static int start(void **state)
{
    rig *r = clv_alloc(sizeof *r);
    if (clv_dir_temp("cache", &r->folder, NULL)) return 1;
    r->cache = clv_format("%s/deep/profiles", r->folder);
    r->engine = counting_new();
    r->network = open_chain(r->folder, r->engine);
    *state = r;
    return 0;
}

static int stop(void **state)
{
    rig *r = *state;
    clv_network_unref(r->network);
    clv_engine_free(&r->engine->base);
    clv_dir_remove(r->folder);
    free(r->folder);
    free(r->cache);
    free(r);
    return 0;
}

static int runs(const rig *r)
{
    return r->engine->prefixes + r->engine->tails + r->engine->wholes;
}

/* The profile, and whether it was measured for this call. */
static clv_profile *get(rig *r, const char *name, int threads, double slowdown, bool *measured)
{
    clv_error err = {0};
    clv_profile *p;
    int before = runs(r);
    clv_profiler_options o = {
        .model = name, .threads = threads, .slowdown = slowdown, .budget_us = 100000};
    assert_ok(
        clv_profile_cache_get(r->cache, r->network, &r->engine->base, &o, NULL, NULL, &p, &err),
        err);
    *measured = runs(r) > before;
    return p;
}

static char *cached_file(const rig *r)
{
    char *path = NULL;
    DIR *d = opendir(r->cache);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') {
            assert_null(path); /* one file */
            path = clv_path_join(r->cache, e->d_name);
        }
    closedir(d);
    assert_non_null(path);
    return path;
}

static void what_is_kept_is_found_and_nothing_is_measured(void **state)
{
    rig *r = *state;
    bool measured;
    clv_error err = {0};
    clv_profile *p;
    clv_profiler_options o = {.model = "m", .threads = 1, .slowdown = 2};
    assert_int_equal(clv_profile_cache_find(r->cache, r->network, &r->engine->base, &o, &p, &err),
                     CLV_ENOTFOUND);
    assert_int_equal(runs(r), 0);
    clv_profile *made = get(r, "m", 1, 0, &measured);
    int before = runs(r);
    assert_ok(clv_profile_cache_find(r->cache, r->network, &r->engine->base, &o, &p, &err), err);
    assert_int_equal(runs(r), before);
    size_t last = p->n_cuts - 1;
    assert_float_equal(p->cuts[last].prefix.us, 2 * made->cuts[last].prefix.us,
                       0.002); /* files have whole nanoseconds */
    clv_profile_free(made);
    clv_profile_free(p);
}

static void the_second_time_nothing_runs(void **state)
{
    rig *r = *state;
    bool measured;
    clv_profile *a = get(r, "first", 1, 0, &measured);
    assert_true(measured);
    clv_profile *b = get(r, "second", 1, 0, &measured);
    assert_false(measured);
    assert_string_equal(b->model, "second");
    assert_int_equal(a->n_cuts, b->n_cuts);
    double us = a->cuts[a->n_cuts - 1].prefix.us;
    assert_true(fabs(b->cuts[b->n_cuts - 1].prefix.us - us) <= us * 1e-3 /* the file rounds */);
    clv_profile_free(a);
    clv_profile_free(b);
}

static void a_slowdown_is_applied_on_the_way_out(void **state)
{
    rig *r = *state;
    bool measured;
    clv_profile *plain = get(r, "m", 1, 0, &measured);
    /* The slowed engine says so in its description; it is the same engine. */
    clv_engine *e = &r->engine->base;
    size_t n = strlen(e->description);
    snprintf(e->description + n, sizeof e->description - n, CLV_SLOW_MARK "4x (emulated)");
    clv_profile *slow = get(r, "m", 1, 4, &measured);
    assert_false(measured);
    assert_string_equal(slow->engine, e->description);
    assert_true(slow->slowdown == 4);
    double us = plain->cuts[plain->n_cuts - 1].prefix.us;
    assert_true(fabs(slow->cuts[slow->n_cuts - 1].prefix.us - 4 * us) <= us * 1e-3);
    clv_profile_free(plain);
    clv_profile_free(slow);
}

static void other_threads_are_another_profile(void **state)
{
    rig *r = *state;
    bool measured;
    clv_profile_free(get(r, "m", 1, 0, &measured));
    clv_profile_free(get(r, "m", 2, 0, &measured));
    assert_true(measured);
}

static void another_engine_or_a_broken_file_is_measured_anew(void **state)
{
    rig *r = *state;
    bool measured;
    clv_error err = {0};
    clv_profile_free(get(r, "m", 1, 0, &measured));
    snprintf(r->engine->base.description, sizeof r->engine->base.description, "a newer one");
    clv_profile_free(get(r, "m", 1, 0, &measured));
    assert_true(measured);
    char *path = cached_file(r);
    assert_ok(clv_file_write(path, "{", 1, &err), err);
    clv_profile_free(get(r, "m", 1, 0, &measured));
    assert_true(measured);
    clv_profile_free(get(r, "m", 1, 0, &measured));
    assert_false(measured);
    free(path);
}

/* As after `cleave profile --data`. */
static void add_data(clv_profile *p)
{
    snprintf(p->data, sizeof p->data, "d");
    p->samples = 100;
    p->accuracy = 0.75;
    clv_profile_codec *c = clv_profile_codec_add(p, "q8");
    c->cut_bytes[0] = 12;
    c->cut_drop = clv_alloc_array(p->n_cuts, sizeof *c->cut_drop);
    c->cut_accuracy = clv_alloc_array(p->n_cuts, sizeof *c->cut_accuracy);
    c->cut_drop[0] = 0.25;
    c->cut_accuracy[0] = 0.5;
}

static void what_was_put_there_is_found_and_its_data_outlives_the_engine(void **state)
{
    rig *r = *state;
    bool measured;
    clv_error err = {0};
    clv_profile *p = get(r, "m", 1, 0, &measured);
    double whole_us = p->cuts[p->n_cuts - 1].prefix.us;
    add_data(p);
    for (size_t i = 0; i < p->n_cuts; i++) p->cuts[i].prefix.us *= 3;
    p->slowdown = 3;
    assert_ok(clv_profile_cache_put(r->cache, p, &err), err);
    assert_true(p->slowdown == 3);
    clv_profile_free(p);
    p = get(r, "m", 1, 0, &measured); /* without the slowdown */
    assert_false(measured);
    assert_true(fabs(p->cuts[p->n_cuts - 1].prefix.us - whole_us) <= whole_us * 1e-3);
    clv_profile_free(p);
    snprintf(r->engine->base.description, sizeof r->engine->base.description, "a newer one");
    for (int i = 0; i < 2; i++) {
        p = get(r, "m", 1, 0, &measured);
        assert_int_equal(measured, i == 0);
        const clv_profile_codec *q8 = clv_profile_codec_find(p, "q8");
        assert_int_equal(p->samples, 100);
        assert_true(q8->cut_drop[0] == 0.25 && q8->cut_bytes[0] == 12);
        assert_true(q8->encode_us_per_mb > 0); /* the newer one's own */
        clv_profile_free(p);
    }
    p = get(r, "m", 1, 0, &measured);
    assert_int_not_equal(clv_profile_cache_put("/dev/null/profiles", p, &err), CLV_OK);
    clv_profile_free(p);
}

static void a_cache_that_cannot_be_written_is_no_error(void **state)
{
    rig *r = *state;
    bool measured;
    clv_error err = {0};
    char *deep = clv_path_join(r->folder, "deep");
    assert_ok(clv_file_write(deep, "a file", 6, &err), err);
    clv_profile *p = get(r, "m", 1, 0, &measured);
    assert_true(measured && p->n_cuts > 3);
    clv_profile_free(p);
    free(deep);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(what_is_kept_is_found_and_nothing_is_measured),
        TEST(the_second_time_nothing_runs),
        TEST(a_slowdown_is_applied_on_the_way_out),
        TEST(other_threads_are_another_profile),
        TEST(another_engine_or_a_broken_file_is_measured_anew),
        TEST(what_was_put_there_is_found_and_its_data_outlives_the_engine),
        TEST(a_cache_that_cannot_be_written_is_no_error),
    };
#undef TEST
    return cmocka_run_group_tests_name("profile_cache", tests, NULL, NULL);
}
