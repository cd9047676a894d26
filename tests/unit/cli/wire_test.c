/* What a recorded run asks of a lab's links; and a lab asked for real, where there may be one. */
#include "cli/wire.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "lab/lab.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void what_was_emulated_is_repeated_as_it_was(void **state)
{
    (void)state;
    clv_run t = {0};
    clv_run_wire w = {
        .at_us = 7, .link = 1, .up = {1e6, 100, 5, 0.1, 3000}, .down = {2e6, 0, 0, 0, 0}};
    clv_run_add_link(&t, &(clv_run_link){3, true, 9, 9, 9, 0, 0, 0, 0});
    clv_run_add_wire(&t, &w);
    size_t n;
    clv_run_wire *steps = clv_wire_steps(&t, &n);
    assert_int_equal(n, 1);
    assert_memory_equal(&steps[0], &w, sizeof w);
    free(steps);
    clv_run_done(&t);
}

static void what_was_estimated_becomes_a_link_that_gives_as_much(void **state)
{
    (void)state;
    clv_run t = {0};
    clv_run_add_link(&t, &(clv_run_link){3, true, 144800, 289600, 6000, 0.1, 0.1, 10, 0});
    clv_run_add_link(&t, &(clv_run_link){.at_us = 4});
    size_t n;
    clv_run_wire *steps = clv_wire_steps(&t, &n);
    assert_int_equal(n, 2);
    assert_int_equal(steps[0].at_us, 3);
    assert_float_equal(steps[0].up.rate_bytes_per_s, 150000, 1e-6);
    assert_float_equal(steps[0].down.rate_bytes_per_s, 300000, 1e-6);
    assert_int_equal(steps[0].up.delay_us + steps[0].down.delay_us, 6000);
    assert_float_equal(steps[0].up.loss, 0, 0);
    assert_float_equal(steps[1].up.loss, 1, 0);
    assert_float_equal(steps[1].down.loss, 1, 0);
    free(steps);
    clv_run_done(&t);
}

static clv_run three_steps(void)
{
    clv_run t = {0};
    for (int i = 0; i < 3; i++)
        clv_run_add_wire(&t, &(clv_run_wire){.at_us = i * 60000,
                                             .up = {1e6 * (i + 1), 1000 * i, 0, 0, 50000},
                                             .down = {2e6, 0, 0, i == 2 ? 0.5 : 0, 60000}});
    return t;
}

/* A second run of what the first one saw sees the same. */
static void a_lab_is_driven_and_watched(void **state)
{
    (void)state;
    clv_error err = {0};
    char *folder;
    assert_ok(clv_dir_temp("wire", &folder, &err), err);
    char *control = clv_path_join(folder, "lab.sock");
    const clv_lab_host hosts[] = {{.name = "edge"}, {.name = "cloud"}};
    const clv_lab_link link = {
        .from = 0, .to = 1, .up = {5e6, 0, 0, 0, 0}, .down = {5e6, 0, 0, 0, 0}};
    clv_lab *lab = NULL;
    const clv_lab_options o = {
        .hosts = hosts, .links = &link, .n_hosts = 2, .n_links = 1, .control = control};
    bool possible = clv_lab_new(&o, &lab, &err) == CLV_OK;
    clv_run asked = three_steps(), seen = {0};
    clv_wire *w;
    if (possible) {
        assert_ok(clv_wire_new(control, &asked, &w, &err), err);
        clv_wire_begin(w, clv_now_us());
        clv_lab_reply *now = clv_alloc(sizeof *now);
        do {
            clv_sleep_us(5000);
            assert_ok(clv_lab_state(lab, now, &err), err);
        } while (now->links[0].values[CLV_DOWN].loss < 0.5);
        clv_sleep_us(50000); /* it looks again after a step */
        free(now);
        assert_ok(clv_wire_end(w, &seen, &err), err);
        clv_wire_free(w);
        assert_true(seen.n_wires >= 1);
        assert_memory_equal(&seen.wires[seen.n_wires - 1].up, &asked.wires[2].up,
                            sizeof asked.wires[2].up);
        assert_memory_equal(&seen.wires[seen.n_wires - 1].down, &asked.wires[2].down,
                            sizeof asked.wires[2].down);
        for (size_t i = 0; i < seen.n_wires; i++)
            assert_true(i == 0 || seen.wires[i].at_us > seen.wires[i - 1].at_us);
        asked.wires[1].link = 1;
        assert_int_equal(clv_wire_new(control, &asked, &w, &err), CLV_EINVAL);
        assert_non_null(strstr(err.text, "link 1, counted from 0; this lab has 1"));
    }
    assert_int_not_equal(clv_wire_new("/nowhere.sock", NULL, &w, &err), CLV_OK);
    clv_lab_free(lab);
    clv_run_done(&asked);
    clv_run_done(&seen);
    clv_dir_remove(folder);
    free(control);
    free(folder);
    if (!possible) skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lab_is_driven_and_watched), /* first: it forks */
        cmocka_unit_test(what_was_emulated_is_repeated_as_it_was),
        cmocka_unit_test(what_was_estimated_becomes_a_link_that_gives_as_much),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
