/* The watts of a machine whose counters a thread moves, while a small network runs. */
#include "measure/power_probe.h"

#include "base/clock.h"
#include "base/file.h"
#include "engine/ort.h"
#include "model.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct rig {
    char *folder, *counter;
    clv_engine *engine;
    clv_network *network;
    atomic_bool ending;
} rig;

static void put(const rig *r, const char *file, const char *text)
{
    clv_error err = {0};
    char *path = clv_format("%s/intel-rapl:0/%s", r->folder, file);
    assert_ok(clv_file_write(path, text, strlen(text), &err), err);
    free(path);
}

static int start(void **state)
{
    rig *r = clv_alloc(sizeof *r);
    clv_error err = {0};
    assert_ok(clv_dir_temp("probe", &r->folder, &err), err);
    char *domain = clv_path_join(r->folder, "intel-rapl:0"),
         *path = clv_path_join(r->folder, "m.onnx");
    assert_ok(clv_dir_make(domain, &err), err);
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_weights(m, "w", 1, "4,8");
    model_node(m, "MatMul", "x,w", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,8");
    model_write(m, path);
    model_free(m);
    assert_ok(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &r->engine, &err), err);
    assert_ok(clv_network_open(path, r->engine, &(clv_network_options){0}, &r->network, &err), err);
    free(domain);
    free(path);
    *state = r;
    return 0;
}

static int end(void **state)
{
    rig *r = *state;
    clv_network_unref(r->network);
    clv_engine_free(r->engine);
    clv_dir_remove(r->folder);
    free(r->folder);
    free(r);
    return 0;
}

/* Long enough for the counting thread to get a processor in both parts, however busy they are. */
static clv_status probe(const rig *r, clv_power *p, clv_error *err)
{
    const clv_power_probe_options o = {
        .root = r->folder, .rest_us = 300000, .work_us = 300000, .cores = 3};
    return clv_power_probe(r->network, &o, p, err);
}

static void *count(void *arg)
{
    rig *r = arg;
    for (int i = 1; !r->ending; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d\n", i * 10000);
        put(r, "energy_uj", text);
        clv_sleep_us(1000);
    }
    return NULL;
}

static void a_machine_that_counts_is_measured(void **state)
{
    rig *r = *state;
    clv_error err = {0};
    clv_power p;
    pthread_t thread;
    put(r, "name", "package-0\n");
    put(r, "max_energy_range_uj", "262143328850\n");
    put(r, "energy_uj", "0\n");
    pthread_create(&thread, NULL, count, r);
    assert_ok(probe(r, &p, &err), err);
    r->ending = true;
    pthread_join(thread, NULL);
    assert_int_equal(p.source, CLV_POWER_RAPL);
    assert_int_equal(p.cores, 3);
    assert_true(clv_power_active_w(&p) > 0);
}

static void one_that_does_not_is_not(void **state)
{
    rig *r = *state;
    clv_error err = {0};
    clv_power p = {.cores = 77};
    assert_int_equal(probe(r, &p, &err), CLV_ENOTFOUND); /* a domain without a name */
    put(r, "name", "dram\n");
    assert_int_equal(probe(r, &p, &err), CLV_EUNSUPPORTED);
    put(r, "name", "package-0\n");
    put(r, "max_energy_range_uj", "262143328850\n");
    put(r, "energy_uj", "5\n");
    assert_int_equal(probe(r, &p, &err), CLV_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "0 W at work: they cannot be used"));
    assert_int_equal(p.cores, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_machine_that_counts_is_measured, start, end),
        cmocka_unit_test_setup_teardown(one_that_does_not_is_not, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
