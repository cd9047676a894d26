#include "cli/layer_study.h"

#include "../graph/graph_maker.h"
#include "base/file.h"
#include "engine/ort.h"
#include "measure/profiler.h"
#include "unit.h"
#include "zoo/zoo.h"

#include <stdlib.h>
#include <string.h>

/* A tensor that skips ahead crosses every cut on its way, and once. */
static void bytes_at_a_cut_are_those_of_all_live_tensors(void **state)
{
    (void)state;
    clv_graph *g = graph_new();
    int x = add_input(g, "x");
    int a = add_next(g, &x, 1), b = add_next(g, &a, 1);
    int c = add_next(g, (const int[]){a, b}, 2), d = add_next(g, (const int[]){c, a}, 2);
    g->tensors[d].is_output = true;
    g->tensors[a].bytes = 100;
    g->tensors[b].bytes = 10;
    g->tensors[c].bytes = 1;
    size_t *bytes = clv_layer_cut_bytes(g);
    assert_int_equal(bytes[0], 100);
    assert_int_equal(bytes[1], 110);
    assert_int_equal(bytes[2], 101);
    assert_int_equal(bytes[3], 0);
    free(bytes);
    clv_graph_free(g);
}

static size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

static void csv_and_svg_have_a_row_and_a_bar_for_each_unit(void **state)
{
    (void)state;
    clv_error err = {0};
    char *dir = NULL;
    const clv_zoo_network *lenet;
    clv_zoo_facts facts = {0};
    clv_engine *engine = NULL;
    clv_network *net = NULL;
    assert_ok(clv_dir_temp("study", &dir, &err), err);
    assert_ok(clv_zoo_find("lenet", &lenet, &err), err);
    assert_ok(clv_zoo_write(lenet, 1, dir, &facts, &err), err);
    assert_ok(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &engine, &err), err);
    assert_ok(clv_network_open(facts.path, engine, &(clv_network_options){0}, &net, &err), err);
    clv_profile *p = clv_profiler_blank(net);
    for (size_t i = 0; i < p->n_units; i++) p->units[i].us = 10;
    clv_buf csv = {0}, timed = {0}, svg = {0};
    clv_layer_csv(&csv, net, p, false);
    clv_layer_csv(&timed, net, p, true);
    clv_layer_svg(&svg, net, p, true);
    assert_int_equal(lines(csv.data), p->n_units + 1);
    assert_memory_equal(csv.data, "unit,op,shape,output_bytes,macs,params,cut_bytes\n", 49);
    assert_non_null(strstr(timed.data, ",params,us,cumulative_us,cut_bytes\n"));
    assert_non_null(strstr(timed.data, "\"[1,6,28,28]\",18816,117600,156,10.000,10.000,18816\n"));
    assert_non_null(strstr(timed.data, ",10.000,80.000,0\n"));
    assert_non_null(strstr(svg.data, "Latency of each unit"));
    assert_non_null(strstr(svg.data, "8 Gemm"));
    clv_buf_done(&csv);
    clv_buf_done(&timed);
    clv_buf_done(&svg);
    clv_profile_free(p);
    clv_network_unref(net);
    clv_engine_free(engine);
    clv_zoo_facts_done(&facts);
    clv_dir_remove(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_at_a_cut_are_those_of_all_live_tensors),
        cmocka_unit_test(csv_and_svg_have_a_row_and_a_bar_for_each_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
