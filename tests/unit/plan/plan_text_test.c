#include "plan/plan_text.h"
#include "problems.h"
#include "unit.h"

enum { PROBLEMS = 600 };

/* Any bytes but NUL, quotes and separators among them. */
static void strange_name(clv_rng *r, char *out, size_t n)
{
    static const char odd[] = "\"'\\| .:-#\n\x7f\xc3\xa9z9";
    for (size_t i = 0; i + 1 < n; i++)
        out[i] = problem_chance(r, 50) ? odd[clv_rng_below(r, sizeof odd - 1)]
                                       : (char)(1 + clv_rng_below(r, 255));
    out[n - 1] = 0;
}

/* A chain of cuts: any that holds the one before, and all at the end. */
static clv_plan_chain some_chain(clv_rng *r, const clv_plan_problem *p)
{
    clv_plan_chain c = {.cut = {0}};
    int last = (int)p->cuts->n - 1, before = 0;
    for (size_t k = 0; k < p->n_devices; k++) {
        int cut = (int)clv_rng_below(r, p->cuts->n);
        bool holds = clv_cut_within(p->cuts, (size_t)before, (size_t)cut);
        c.cut[k] = k + 1 == p->n_devices ? last : holds ? cut : before;
        bool idle = k && c.cut[k] == before;
        if (c.cut[k] < last)
            c.codec[k] = idle ? c.codec[k - 1] : (int)clv_rng_below(r, p->n_codecs);
        before = c.cut[k];
    }
    return c;
}

static void a_chain_comes_back_as_it_was(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(7);
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &(problem_options){.units_max = 7, .devices_max = 3});
        if (i % 2) {
            for (size_t k = 0; k < q->p.n_devices; k++)
                strange_name(&r, q->p.devices[k].name, 1 + clv_rng_below(&r, 20));
            for (size_t t = 0; t < q->graph->n_tensors; t++) {
                free(q->graph->tensors[t].name);
                q->graph->tensors[t].name = clv_alloc(30);
                strange_name(&r, q->graph->tensors[t].name, 1 + clv_rng_below(&r, 30));
            }
        }
        clv_plan_chain chain = some_chain(&r, &q->p), again;
        clv_error err = {0};
        char *text = clv_plan_chain_text(&q->p, &chain);
        for (const char *c = text; *c; c++) assert_true(*c >= ' ' && *c <= '~' && *c != '\'');
        assert_ok(clv_plan_chain_parse(&q->p, text, &again, &err), err);
        assert_memory_equal(&chain.codec, &again.codec, sizeof chain.codec);
        assert_memory_equal(chain.cut, again.cut, q->p.n_devices * sizeof *chain.cut);
        /* A text that is cut short is refused, or is a whole chain (label and all may be left out). */
        for (size_t n = strlen(text); n-- > 0;) {
            text[n] = 0;
            if (clv_plan_chain_parse(&q->p, text, &again, NULL) == CLV_OK)
                assert_int_equal(again.cut[q->p.n_devices - 1], q->p.cuts->n - 1);
        }
        free(text);
        problem_free(q);
    }
}

/* x -> a -> b -> c on edge, hub and cloud. */
typedef struct line {
    clv_graph *graph;
    clv_cuts *cuts;
    clv_plan_codec codecs[2];
    clv_plan_problem p;
} line;

static void line_open(line *l)
{
    clv_error err = {0};
    l->graph = graph_new();
    int t = add_input(l->graph, "x");
    const char *const names[] = {"a", "12", "c"};
    for (size_t i = 0; i < 3; i++) t = add_unit(l->graph, names[i], &t, 1);
    l->graph->tensors[t].is_output = true;
    assert_ok(clv_cuts_enumerate(l->graph, CLV_CUTS_CAP, &l->cuts, &err), err);
    l->codecs[0] = l->codecs[1] = clv_plan_raw;
    snprintf(l->codecs[1].name, sizeof l->codecs[1].name, "int8");
    l->p = (clv_plan_problem){.graph = l->graph, .cuts = l->cuts, .n_devices = 3};
    l->p.codecs = l->codecs;
    l->p.n_codecs = 2;
    snprintf(l->p.devices[0].name, CLV_PLAN_NAME_MAX, "edge");
    snprintf(l->p.devices[1].name, CLV_PLAN_NAME_MAX, "hub");
    snprintf(l->p.devices[2].name, CLV_PLAN_NAME_MAX, "cloud");
}

static void line_close(line *l)
{
    clv_cuts_free(l->cuts);
    clv_graph_free(l->graph);
}

static void people_may_write_it_shorter(void **state)
{
    (void)state;
    line l = {0};
    line_open(&l);
    CLV_AUTO(clv_text_free) char *label = clv_cut_label(l.cuts, l.graph, 2);
    char by_label[200];
    snprintf(by_label, sizeof by_label, "edge ..\"%s\"|int8|hub -|int8|cloud ..output\n", label);
    const char *const same[] = {"edge ..2 | int8 | hub - | int8 | cloud ..3", by_label};
    for (size_t i = 0; i < CLV_COUNT(same); i++) {
        clv_plan_chain c;
        clv_error err = {0};
        assert_ok(clv_plan_chain_parse(&l.p, same[i], &c, &err), err);
        assert_int_equal(c.cut[0], 2);
        assert_int_equal(c.cut[1], 2);
        assert_int_equal(c.cut[2], 3);
        assert_int_equal(c.codec[1], 1);
    }
    clv_plan_chain none = {.cut = {CLV_PLAN_NO_CUT}};
    assert_null(clv_plan_chain_text(&l.p, &none));
    line_close(&l);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "device: expected"},
        {"pi ..3", "device 0 is 'pi', must be 'edge'"},
        {"edge 3", "'..' and a cut, or '-'"},
        {"edge ..4", "cut 4, must be at most 3"},
        {"edge ..99999999999999999999", "must be at most 3"},
        {"edge ..conv", "no cut is 'conv'"},
        {"edge ..1:zz", "not 'zz'"},
        {"edge ..1", "must end at cut 3"},
        {"edge ..1 | gzip | hub ..3", "codec 'gzip' is not one of the 2"},
        {"edge ..1 | raw", "'|' and a device expected"},
        {"edge ..1 | raw | cloud ..3", "device 1 is 'cloud', must be 'hub'"},
        {"edge ..2 | raw | hub ..1 | raw | cloud ..3", "cut 1 does not hold cut 2"},
        {"edge ..1 | raw | hub - | int8 | cloud ..3", "passes on 'raw', not 'int8'"},
        {"edge ..1 | raw | hub ..2 | raw | cloud -", "must end at cut 3"},
        {"edge ..3 | raw | hub -", "more follows"},
        {"edge ..3 x", "more follows"},
        {"\"edge", "quotation"},
        {"\"ed\\n\" ..3", "quotation"},
        {"\"ed\\x00\" ..3", "quotation"},
    };
    line l = {0};
    line_open(&l);
    for (size_t i = 0; i < CLV_COUNT(bad); i++) {
        clv_plan_chain c;
        clv_error err = {0};
        assert_int_equal(clv_plan_chain_parse(&l.p, bad[i][0], &c, &err), CLV_EINVAL);
        if (!strstr(err.text, bad[i][1])) fail_msg("'%s': %s", bad[i][0], err.text);
    }
    static char blanks[CLV_PLAN_LINE_MAX + 2], name[400];
    memset(blanks, ' ', sizeof blanks - 1);
    memset(name, 'a', sizeof name - 1);
    clv_plan_chain c;
    clv_error err = {0};
    assert_int_equal(clv_plan_chain_parse(&l.p, blanks, &c, &err), CLV_ELIMIT);
    assert_int_equal(clv_plan_chain_parse(&l.p, name, &c, &err), CLV_ELIMIT);
    line_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_comes_back_as_it_was),
        cmocka_unit_test(people_may_write_it_shorter),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
