/* Leakage classes on classic networks, as ONNX Runtime fuses them. */
#include "base/file.h"
#include "engine/ort.h"
#include "graph/leakage.h"
#include "repo/network.h"
#include "unit.h"
#include "zoo/zoo.h"

#include <stdlib.h>
#include <string.h>

typedef struct opened {
    char *folder;
    clv_engine *engine;
    clv_network *network;
} opened;

static opened open_zoo(const char *name)
{
    opened o = {0};
    clv_error err = {0};
    clv_zoo_facts facts;
    const clv_zoo_network *net;
    assert_ok(clv_dir_temp("leakage", &o.folder, &err), err);
    assert_ok(clv_zoo_find(name, &net, &err), err);
    assert_ok(clv_zoo_write(net, 1, o.folder, &facts, &err), err);
    assert_ok(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &o.engine, &err), err);
    assert_ok(clv_network_open(facts.path, o.engine, &(clv_network_options){0}, &o.network, &err),
              err);
    clv_zoo_facts_done(&facts);
    return o;
}

static void close_zoo(opened *o)
{
    clv_network_unref(o->network);
    clv_engine_free(o->engine);
    clv_dir_remove(o->folder);
    free(o->folder);
}

/* How many legal cuts a policy leaves besides all-local: those with no kept tensor among the live ones. */
static size_t cuts_left(const opened *o, const char *policy)
{
    const clv_graph *g = clv_network_graph(o->network);
    const clv_cuts *cuts = clv_network_cuts(o->network);
    clv_error err = {0};
    clv_privacy p;
    bool *stays = clv_alloc_array(g->n_tensors, sizeof *stays);
    assert_ok(clv_privacy_parse(policy, &p, &err), err);
    assert_ok(clv_privacy_tensors(&p, g, stays, &err), err);
    size_t left = 0;
    for (size_t i = 0; i + 1 < cuts->n; i++) {
        bool kept = false;
        for (size_t k = 0; k < cuts->items[i].n_live; k++) kept |= stays[cuts->items[i].live[k]];
        left += !kept;
    }
    free(stays);
    return left;
}

static void lenet_by_hand(void **state)
{
    (void)state;
    opened o = open_zoo("lenet");
    const clv_graph *g = clv_network_graph(o.network);
    size_t images = 0, maps = 0;
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *tensor = &g->tensors[t];
        clv_leakage l = clv_leakage_of(g, t);
        assert_true(tensor->is_input == (l == CLV_LEAKAGE_INPUT));
        assert_true(tensor->is_output == (l == CLV_LEAKAGE_ANSWER));
        images += l == CLV_LEAKAGE_IMAGE;
        maps += l == CLV_LEAKAGE_MAP;
        if (tensor->shape.rank == 4 && l == CLV_LEAKAGE_MAP) assert_true(tensor->shape.dim[2] < 7);
    }
    assert_true(images > 0 && maps > 0);
    close_zoo(&o);
}

static void policies_leave_fewer_and_fewer_cuts(void **state)
{
    (void)state;
    const char *const names[] = {"mobilenet_v2", "resnet18"};
    const char *const policies[] = {"none",      "input",          "class:image",
                                    "class:map", "class:features", "class:answer"};
    for (size_t k = 0; k < CLV_COUNT(names); k++) {
        opened o = open_zoo(names[k]);
        size_t before = clv_network_cuts(o.network)->n - 1;
        assert_int_equal(cuts_left(&o, "none"), before);
        for (size_t i = 1; i < CLV_COUNT(policies); i++) {
            size_t left = cuts_left(&o, policies[i]);
            if (left >= before && before > 0)
                fail_msg("%s: '%s' leaves %zu cuts of %zu", names[k], policies[i], left, before);
            before = left;
        }
        assert_true(cuts_left(&o, "class:map") > 0); /* the pooled vector may go */
        assert_int_equal(before, 0);
        assert_true(cuts_left(&o, "first:5") < cuts_left(&o, "first:1"));
        close_zoo(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lenet_by_hand),
        cmocka_unit_test(policies_leave_fewer_and_fewer_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
