#include "cli/plan_question.h"

#include "base/file.h"
#include "cli/plan_fixture.h"

/* Parses as the command line does, and asks. */
typedef struct asked {
    clv_plan_devices d;
    clv_plan_question q;
    clv_error err;
    clv_status status;
} asked;

static asked ask(size_t n_devices, const char *const *words, size_t n)
{
    asked a = {.d = fixture_devices(n_devices, "lte")};
    snprintf(a.d.tables->problem.devices[0].name, CLV_PLAN_NAME_MAX, "edge");
    clv_plan_question_options o = {0};
    const clv_opt_set sets[] = {CLV_PLAN_QUESTION_OPTS(&o)};
    char *argv[16];
    for (size_t i = 0; i < n; i++) argv[i] = clv_strdup(words[i]);
    clv_args args = {argv, (int)n};
    assert_ok(clv_opt_defaults(sets, 1, &a.err), a.err);
    fixture_watts(&a.d);
    a.status = clv_opt_parse(sets, 1, &args, false, &a.err);
    if (!a.status) a.status = clv_plan_question_ask(&o, &a.d.tables->problem, &a.q, &a.err);
    clv_opt_done(sets, 1);
    for (size_t i = 0; i < n; i++) free(argv[i]);
    return a;
}
#define ASK(devices, ...)                                                                          \
    ask(devices, (const char *const[]){__VA_ARGS__},                                               \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void asked_done(asked *a)
{
    clv_plan_question_done(&a->q);
    clv_plan_devices_close(&a->d);
}

static void refused(asked a, const char *says)
{
    assert_int_equal(a.status, CLV_EUSAGE);
    if (!strstr(a.err.text, says)) fail_msg("'%s' does not say '%s'", a.err.text, says);
    asked_done(&a);
}

static void objectives_are_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        clv_plan_objective o;
    } rows[] = {
        {"latency", {.goal = CLV_GOAL_LATENCY}},
        {"p95", {.goal = CLV_GOAL_LATENCY, .quantile_ppm = 950000}},
        {"p99.9", {.goal = CLV_GOAL_LATENCY, .quantile_ppm = 999000}},
        {"energy", {.goal = CLV_GOAL_ENERGY}},
        {"price", {.goal = CLV_GOAL_PRICE}},
        {"throughput", {.goal = CLV_GOAL_THROUGHPUT}},
        {"weighted:latency=1,energy=0.5", {CLV_GOAL_WEIGHTED, 0, 1000, 500, 0}},
        {"weighted:price=2", {CLV_GOAL_WEIGHTED, 0, 0, 0, 2000}},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_plan_objective o;
        clv_error err = {0};
        assert_ok(clv_plan_objective_parse(rows[i].text, &o, &err), err);
        assert_memory_equal(&o, &rows[i].o, sizeof o);
        assert_string_equal(clv_plan_objective_show(&o).s, rows[i].text);
    }
    static const char *const wrong[] = {"",
                                        "fast",
                                        "p",
                                        "p20",
                                        "p100",
                                        "latencyy",
                                        "weighted",
                                        "weighted:",
                                        "weighted:speed=1",
                                        "weighted:latency=-1",
                                        "weighted:latency=0",
                                        "weighted:latency=1,latency=2",
                                        "weighted:energy=nan",
                                        "weighted:energy"};
    for (size_t i = 0; i < CLV_COUNT(wrong); i++) {
        clv_plan_objective o;
        clv_error err = {0};
        assert_int_equal(clv_plan_objective_parse(wrong[i], &o, &err), CLV_EUSAGE);
        assert_non_null(strstr(err.text, "--objective"));
    }
}

static void limits_reach_the_problem(void **state)
{
    (void)state;
    asked a = ASK(2, "--deadline", "200ms", "--energy-limit", "1.5J", "--price-limit", "0.002",
                  "--memory", "edge=64MiB,cloud=1GB", "--pin", "conv1=edge", "--pin", "fc=cloud",
                  "--private", "input");
    assert_ok(a.status, a.err);
    const clv_plan_problem *p = &a.d.tables->problem;
    assert_int_equal(p->limits.deadline_ns, 200000000);
    assert_int_equal(p->limits.energy_nj, 1500000000);
    assert_int_equal(p->limits.price_pm, 2000000000);
    assert_int_equal(p->devices[0].memory_bytes_max, 64 << 20);
    assert_int_equal(p->devices[1].memory_bytes_max, 1000000000);
    assert_int_equal(p->limits.unit_devices[0], 1);
    assert_int_equal(p->limits.unit_devices[1], 3);
    assert_int_equal(p->limits.unit_devices[2], 2);
    assert_true(p->limits.stays[0]);
    clv_error err = {0};
    assert_ok(clv_plan_problem_check(p, &err), err);
    asked_done(&a);
    a = ASK(2, "--objective", "latency");
    assert_int_equal(a.d.tables->problem.limits.deadline_ns, CLV_PLAN_NO_LIMIT);
    assert_null(a.d.tables->problem.limits.stays);
    asked_done(&a);
}

static void contradictions_are_named(void **state)
{
    (void)state;
    refused(ASK(2, "--pin", "conv1=edge", "--pin", "conv1=cloud"), "pinned to another device too");
    refused(ASK(2, "--pin", "conv1=cloud", "--private", "input"), "--pin and --private contradict");
    refused(ASK(2, "--pin", "conv1=cloud", "--pin", "fc=edge"), "'fc' must run before 'cloud'");
    refused(ASK(3, "--allow-return"), "--allow-return: is for two devices, there are 3");
    refused(ASK(2, "--pin", "conv2=edge"), "did you mean 'conv1'");
    refused(ASK(2, "--pin", "conv1=fog"), "no device is named 'fog'; there are edge, cloud");
    refused(ASK(2, "--pin", "conv1"), "--pin 'conv1': must be UNIT=DEVICE");
    refused(ASK(2, "--memory", "edge=lots"), "--memory");
    refused(ASK(2, "--memory", "hub=1MB"), "no device is named 'hub'");
    refused(ASK(2, "--energy-limit", "5W"), "--energy-limit");
    refused(ASK(2, "--energy-limit", "0J"), "--energy-limit");
    refused(ASK(2, "--deadline", "0ms"), "--deadline");
    refused(ASK(2, "--private", "everything"), "--private");
    refused(ASK(2, "--private", "tensor:z"), "--private");
    asked a = ASK(2, "--pin", "conv1=cloud", "--pin", "fc=edge", "--allow-return");
    assert_ok(a.status, a.err);
    asked_done(&a);
}

static void an_energy_that_nobody_states_is_no_objective(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "lte");
    clv_plan_question q = {0};
    static const char *const goals[] = {"energy", "price", "weighted:latency=1,energy=1"};
    for (size_t i = 0; i < CLV_COUNT(goals); i++) {
        clv_error err = {0};
        clv_plan_question_options o = {.objective = goals[i], .private = "none"};
        assert_int_equal(clv_plan_question_ask(&o, &d.tables->problem, &q, &err), CLV_EUSAGE);
        assert_non_null(strstr(err.text, i == 1 ? "states a price" : "states its watts"));
    }
    clv_plan_devices_close(&d);
}

/* Devices from files: the fixture's profiles written and read. */
typedef struct files {
    char *dir, *slow, *fast;
} files;

static files write_files(void)
{
    clv_error err = {0};
    files f = {0};
    clv_plan_devices d = fixture_devices(2, "lan");
    assert_ok(clv_dir_temp("plan", &f.dir, &err), err);
    f.slow = clv_path_join(f.dir, "pi.json");
    f.fast = clv_path_join(f.dir, "gpu.json");
    assert_ok(clv_profile_write(f.slow, d.files.profiles[0], &err), err);
    assert_ok(clv_profile_write(f.fast, d.files.profiles[1], &err), err);
    clv_plan_devices_close(&d);
    return f;
}

static void files_done(files *f)
{
    clv_dir_remove(f->dir);
    free(f->dir);
    free(f->slow);
    free(f->fast);
}

static clv_status open_devices(const char *const *words, size_t n, clv_plan_devices *d,
                               clv_error *err)
{
    clv_plan_devices_options o = {0};
    const clv_opt_set sets[] = {CLV_PLAN_DEVICES_OPTS(&o)};
    char *argv[24];
    for (size_t i = 0; i < n; i++) argv[i] = clv_strdup(words[i]);
    clv_args args = {argv, (int)n};
    clv_status s = clv_opt_defaults(sets, 1, err);
    if (!s) s = clv_opt_parse(sets, 1, &args, false, err);
    if (!s) s = clv_plan_devices_open(&o, &(clv_located){0}, d, err);
    clv_opt_done(sets, 1);
    for (size_t i = 0; i < n; i++) free(argv[i]);
    return s;
}
#define OPEN(d, err, ...)                                                                          \
    open_devices((const char *const[]){__VA_ARGS__},                                               \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), d, err)

static void devices_are_named_after_their_files(void **state)
{
    (void)state;
    files f = write_files();
    clv_error err = {0};
    clv_plan_devices d;
    assert_ok(OPEN(&d, &err, "--edge", f.slow, "--cloud", f.fast, "--queue", "5ms", "--power",
                   "edge=idle=2W,active=7W", "--radio", "tx=1W"),
              err);
    assert_string_equal(d.tables->problem.devices[1].name, "cloud");
    assert_int_equal(d.tables->problem.devices[1].queue_ns, 5000000);
    assert_int_equal(d.tables->problem.devices[0].active_mw, 7000);
    assert_int_equal(d.tables->problem.hops[0].tx_mw, 1000);
    clv_plan_devices_close(&d);
    char *named = clv_format("hub=%s", f.fast);
    assert_ok(OPEN(&d, &err, "--device", f.slow, "--device", named, "--device", f.fast, "--link",
                   "wifi", "--link", "5Mbit,10ms", "--queue", "hub=1ms", "--overhead", "100us"),
              err);
    assert_int_equal(d.files.n, 3);
    assert_string_equal(d.tables->problem.devices[0].name, "pi");
    assert_string_equal(d.tables->problem.devices[1].name, "hub");
    assert_string_equal(d.tables->problem.devices[2].name, "gpu");
    assert_int_equal(d.tables->problem.devices[1].queue_ns, 1000000);
    assert_int_equal(d.tables->problem.hops[1].rtt_ns, 10000000);
    assert_int_equal(d.tables->problem.hops[1].overhead_ns, 100000);
    clv_plan_devices_close(&d);
    free(named);
    files_done(&f);
}

static void wrong_devices_are_named(void **state)
{
    (void)state;
    files f = write_files();
    clv_plan_devices d;
#define REFUSED(says, ...)                                                                         \
    do {                                                                                           \
        clv_error err = {0};                                                                       \
        assert_int_equal(OPEN(&d, &err, __VA_ARGS__), CLV_EUSAGE);                                 \
        if (!strstr(err.text, says)) fail_msg("'%s' does not say '%s'", err.text, says);           \
    } while (0)
    REFUSED("--cloud is missing", "--edge", f.slow);
    REFUSED("--edge is missing", "--cloud", f.slow);
    REFUSED("either is right", "--edge", f.slow, "--device", f.fast);
    REFUSED("one is given", "--device", f.slow);
    REFUSED("two are named 'pi'", "--device", f.slow, "--device", f.slow);
    REFUSED("1 given, 3 devices need 2", "--device", f.slow, "--device", f.fast, "--device",
            "x=y.json");
    REFUSED("2 given, 2 devices need 1", "--edge", f.slow, "--cloud", f.fast, "--link", "lan",
            "--link", "lan");
    REFUSED("--radio: 2 given", "--edge", f.slow, "--cloud", f.fast, "--radio", "wifi", "--radio",
            "wifi");
    REFUSED("--link", "--edge", f.slow, "--cloud", f.fast, "--link", "0Mbit,1ms");
    REFUSED("--power 'fog=idle=1W'", "--edge", f.slow, "--cloud", f.fast, "--power", "fog=idle=1W");
    REFUSED("--power edge", "--edge", f.slow, "--cloud", f.fast, "--power", "edge=idle=-1W");
    REFUSED("--queue", "--edge", f.slow, "--cloud", f.fast, "--queue", "fog=1ms");
#undef REFUSED
    files_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objectives_are_what_they_say),
        cmocka_unit_test(limits_reach_the_problem),
        cmocka_unit_test(contradictions_are_named),
        cmocka_unit_test(an_energy_that_nobody_states_is_no_objective),
        cmocka_unit_test(devices_are_named_after_their_files),
        cmocka_unit_test(wrong_devices_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
