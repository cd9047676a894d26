#include "graph/graph.h"
#include "graph_maker.h"
#include "unit.h"

#include <string.h>

/* input x; a(x) -> a.0; b(a.0, x) -> b.0 */
static clv_graph *sample(void)
{
    clv_graph *g = graph_new();
    int x = add_input(g, "x");
    int a = add_unit(g, "a", &x, 1);
    int b = add_unit(g, "b", (int[]){a, x, a}, 3);
    g->tensors[b].is_output = true;
    g->units[0].macs = 3;
    g->units[1].macs = 4;
    g->units[0].params = 10;
    return g;
}

static void a_sound_graph_passes(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_graph *g = sample();
    assert_ok(clv_graph_check(g, &err), err);
    assert_int_equal(clv_graph_tensor_index(g, "b.0"), 2);
    assert_int_equal(clv_graph_tensor_index(g, "c"), -1);
    assert_int_equal(clv_graph_macs(g), 7);
    assert_int_equal(clv_graph_params(g), 10);
    clv_graph_free(g);
    clv_graph_free(NULL);
}

static void swap_order(clv_graph *g)
{
    clv_unit u = g->units[0];
    g->units[0] = g->units[1];
    g->units[1] = u;
}
static void name_twice(clv_graph *g)
{
    g->tensors[2].name[0] = 'a';
}
static void unit_name_twice(clv_graph *g)
{
    g->units[1].name[0] = 'a';
}
static void wrong_producer(clv_graph *g)
{
    g->tensors[1].producer = 1;
}
static void forget_consumer(clv_graph *g)
{
    g->tensors[0].n_consumers = 1;
}
static void double_consumer(clv_graph *g)
{
    g->tensors[1].consumers[0] = 0;
}
static void input_out_of_range(clv_graph *g)
{
    g->units[0].inputs[0] = 3;
}
static void output_out_of_range(clv_graph *g)
{
    g->units[0].outputs[0] = -1;
}
static void made_by_nobody(clv_graph *g)
{
    g->tensors[0].is_input = false;
}
static void bytes_of_the_unknown(clv_graph *g)
{
    g->tensors[1].shape.rank = -1;
}
static void too_many_units(clv_graph *g)
{
    g->n_units = CLV_UNITS_MAX + 1;
}
static void too_many_tensors(clv_graph *g)
{
    g->n_tensors = CLV_GRAPH_TENSORS_MAX + 1;
}

static void each_fault_is_found(void **state)
{
    (void)state;
    static void (*const faults[])(clv_graph *) = {
        swap_order,      name_twice,           unit_name_twice,    wrong_producer,
        forget_consumer, double_consumer,      input_out_of_range, output_out_of_range,
        made_by_nobody,  bytes_of_the_unknown, too_many_units,     too_many_tensors,
    };
    for (size_t i = 0; i < CLV_COUNT(faults); i++) {
        clv_error err = {0};
        clv_graph *g = sample();
        faults[i](g);
        clv_status st = clv_graph_check(g, &err);
        if (st != CLV_EINVAL && st != CLV_ELIMIT) fail_msg("fault %zu was not found", i);
        g->n_units = 2;
        g->n_tensors = 3;
        clv_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_graph_passes),
        cmocka_unit_test(each_fault_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
