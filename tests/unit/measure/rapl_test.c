/* Energy counters, from a tree of files as Linux has it. */
#include "measure/rapl.h"

#include "base/file.h"
#include "base/mem.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *root;

static int start(void **state)
{
    (void)state;
    return clv_dir_temp("rapl", &root, NULL) != CLV_OK;
}

static int end(void **state)
{
    (void)state;
    clv_dir_remove(root);
    free(root);
    return 0;
}

static void put(const char *domain, const char *file, const char *text)
{
    clv_error err = {0};
    char *folder = clv_path_join(root, domain), *path = clv_path_join(folder, file);
    assert_ok(clv_dir_make(folder, &err), err);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(folder);
    free(path);
}

static void put_count(const char *domain, uint64_t uj)
{
    char text[32];
    snprintf(text, sizeof text, "%llu\n", (unsigned long long)uj);
    put(domain, "energy_uj", text);
}

static void put_domain(const char *domain, const char *name, uint64_t uj)
{
    put(domain, "name", name);
    put(domain, "max_energy_range_uj", "1000000000\n");
    put_count(domain, uj);
}

static void packages_are_added_up_and_their_parts_are_not(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_rapl r;
    put_domain("intel-rapl:0", "package-0\n", 5000000);
    put_domain("intel-rapl:0:0", "core\n", 1000000);
    put_domain("intel-rapl:1", "package-1\n", 7000000);
    put_domain("intel-rapl:2", "psys\n", 100);
    put("intel-rapl", "enabled", "1\n");
    put("dtpm", "name", "x\n");
    assert_ok(clv_rapl_open(root, &r, &err), err);
    assert_int_equal(r.n, 2);
    assert_true(r.joules == 0);
    put_count("intel-rapl:0", 6500000);
    put_count("intel-rapl:0:0", 900000000);
    put_count("intel-rapl:1", 7250000);
    put_count("intel-rapl:2", 900000000);
    assert_ok(clv_rapl_add(&r, &err), err);
    assert_float_equal(r.joules, 1.75, 1e-9);
    assert_ok(clv_rapl_add(&r, &err), err);
    assert_float_equal(r.joules, 1.75, 1e-9);
}

static void counters_wrap_around(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_rapl r;
    assert_int_equal(clv_rapl_step_uj(10, 10, 100), 0);
    assert_int_equal(clv_rapl_step_uj(10, 15, 100), 5);
    assert_int_equal(clv_rapl_step_uj(98, 3, 100), 5);
    assert_int_equal(clv_rapl_step_uj(100, 0, 100), 0);
    assert_int_equal(clv_rapl_step_uj(150, 3, 100),
                     3); /* beyond its range: a counter that was reset */
    put_domain("intel-rapl:0", "package-0\n", 999000000);
    assert_ok(clv_rapl_open(root, &r, &err), err);
    put_count("intel-rapl:0", 1500000);
    assert_ok(clv_rapl_add(&r, &err), err);
    assert_float_equal(r.joules, 2.5, 1e-9);
    put_count("intel-rapl:0", 2500000);
    assert_ok(clv_rapl_add(&r, &err), err);
    assert_float_equal(r.joules, 3.5, 1e-9);
}

static void expect_open(clv_status status, const char *part)
{
    clv_error err = {0};
    clv_rapl r = {.n = 77};
    assert_int_equal(clv_rapl_open(root, &r, &err), status);
    assert_int_equal(r.n, 77);
    if (!strstr(err.text, part)) fail_msg("'%s' lacks '%s'", err.text, part);
}

static void machines_without_counters_say_so(void **state)
{
    (void)state;
    expect_open(CLV_EUNSUPPORTED, "no energy counter");
    put_domain("intel-rapl:0", "psys\n", 5);
    expect_open(CLV_EUNSUPPORTED, "no energy counter");
    put_domain("intel-rapl:0", "package-0\n", 5);
    put("intel-rapl:0", "energy_uj", "lots\n");
    expect_open(CLV_EPROTO, "'lots', it should be a number");
    put("intel-rapl:0", "energy_uj", "-5\n");
    expect_open(CLV_EPROTO, "should be a number");
    put("intel-rapl:0", "energy_uj", "");
    expect_open(CLV_EPROTO, "should be a number");
    put_count("intel-rapl:0", 5);
    put("intel-rapl:0", "max_energy_range_uj", "0\n");
    expect_open(CLV_EPROTO, "a counter has a range");
    put_domain("intel-rapl:0", "package-0\n", 5);
    char *path = clv_format("%s/intel-rapl:0/energy_uj", root);
    assert_int_equal(chmod(path, 0), 0);
    if (access(path, R_OK) != 0) expect_open(CLV_EDENIED, "chmod a+r");
    assert_int_equal(chmod(path, 0600), 0);
    unlink(path);
    expect_open(CLV_ENOTFOUND, "energy_uj");
    free(path);
    clv_error err = {0};
    clv_rapl r;
    assert_int_equal(clv_rapl_open("/nowhere/powercap", &r, &err), CLV_EUNSUPPORTED);
}

static void too_many_packages_are_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_rapl r;
    for (int i = 0; i <= CLV_RAPL_PACKAGES_MAX; i++) {
        char domain[32];
        snprintf(domain, sizeof domain, "intel-rapl:%d", i);
        if (i == CLV_RAPL_PACKAGES_MAX) assert_ok(clv_rapl_open(root, &r, &err), err);
        put_domain(domain, "package-x\n", 1);
    }
    expect_open(CLV_ELIMIT, "more than 16 packages");
}

/* A machine that takes so many watts, with a clock of its own. */
typedef struct machine {
    int64_t now_us;
    double uj, idle_w, active_w;
    int rests, works;
    bool breaks;
} machine;

static void pass(machine *m, int64_t us, double watts)
{
    m->now_us += us;
    m->uj += watts * (double)us;
    put_count("intel-rapl:0", (uint64_t)fmod(m->uj, 1e9));
}

static clv_status rest(void *arg, clv_error *err)
{
    (void)err;
    machine *m = arg;
    m->rests++;
    pass(m, 50000, m->idle_w);
    return CLV_OK;
}

static clv_status work(void *arg, clv_error *err)
{
    machine *m = arg;
    m->works++;
    if (m->breaks) return clv_fail(err, CLV_EENGINE, "told to fail");
    pass(m, 7000, m->active_w);
    return CLV_OK;
}

static int64_t now(void *arg)
{
    return ((machine *)arg)->now_us;
}

static clv_status measure(machine *m, clv_power *out, clv_error *err)
{
    clv_rapl r;
    put_domain("intel-rapl:0", "package-0\n", (uint64_t)fmod(m->uj, 1e9));
    assert_ok(clv_rapl_open(root, &r, err), *err);
    const clv_rapl_plan plan = {.rest = rest,
                                .work = work,
                                .now_us = now,
                                .arg = m,
                                .rest_us = 2000000,
                                .work_us = 3000000,
                                .cores = 4};
    return clv_rapl_power(&r, &plan, out, err);
}

static void idle_and_active_power_are_told_apart(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_power p;
    machine m = {.idle_w = 12, .active_w = 40, .uj = 950e6}; /* wraps around on the way */
    assert_ok(measure(&m, &p, &err), err);
    assert_int_equal(p.source, CLV_POWER_RAPL);
    assert_int_equal(p.cores, 4);
    assert_float_equal(p.idle_w, 12, 1e-3);
    assert_float_equal(p.active_w_per_core, 7, 1e-3);
    assert_float_equal(clv_power_active_w(&p), 40, 1e-3);
    assert_int_equal(m.rests, 40);
    assert_int_equal(m.works, 429);
    machine noisy = {.idle_w = 12, .active_w = 11.9};
    assert_ok(measure(&noisy, &p, &err), err);
    assert_float_equal(clv_power_active_w(&p), 12, 1e-3);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_power p = {.cores = 77};
    machine still = {0};
    assert_int_equal(measure(&still, &p, &err), CLV_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "cannot be used"));
    machine broken = {.idle_w = 1, .active_w = 2, .breaks = true};
    assert_int_equal(measure(&broken, &p, &err), CLV_EENGINE);
    assert_int_equal(p.cores, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packages_are_added_up_and_their_parts_are_not, start, end),
        cmocka_unit_test_setup_teardown(counters_wrap_around, start, end),
        cmocka_unit_test_setup_teardown(machines_without_counters_say_so, start, end),
        cmocka_unit_test_setup_teardown(too_many_packages_are_refused, start, end),
        cmocka_unit_test_setup_teardown(idle_and_active_power_are_told_apart, start, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
