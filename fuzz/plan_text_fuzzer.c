/* `cleave plan --given`: any line is either a chain that writes and reads again as the same line, or is
 * refused with a reason. Three devices, two codecs, a network with names that need quoting. */
#include "plan/plan_text.h"

#include "../tests/unit/graph/graph_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static clv_plan_problem problem;

static void make_problem(void)
{
    static const clv_plan_codec codecs[] = {{.name = "raw", .bytes_per_kib = 1024},
                                            {.name = "int 8", .bytes_per_kib = 256}};
    static const char *const devices[] = {"edge", "the hub", "12"};
    static const char *const units[] = {"conv", "\"quoted\" | .. -", "7"};
    clv_graph *g = graph_new();
    clv_cuts *cuts = NULL;
    int t = add_input(g, "x");
    for (size_t i = 0; i < CLV_COUNT(units); i++) t = add_unit(g, units[i], &t, 1);
    g->tensors[t].is_output = true;
    if (clv_cuts_enumerate(g, CLV_CUTS_CAP, &cuts, NULL)) abort();
    problem = (clv_plan_problem){.graph = g, .cuts = cuts, .codecs = codecs, .n_codecs = 2};
    for (size_t k = 0; k < CLV_COUNT(devices); k++)
        snprintf(problem.devices[problem.n_devices++].name, CLV_PLAN_NAME_MAX, "%s", devices[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_plan_chain chain, again;
    clv_error err = {0};
    if (!problem.graph) make_problem();
    char *line = clv_strndup((const char *)data, size);
    if (clv_plan_chain_parse(&problem, line, &chain, &err) == CLV_OK) {
        char *text = clv_plan_chain_text(&problem, &chain);
        if (!text || clv_plan_chain_parse(&problem, text, &again, &err)) abort();
        char *twice = clv_plan_chain_text(&problem, &again);
        if (!twice || strcmp(text, twice) != 0) abort();
        free(text);
        free(twice);
    } else if (!err.text[0]) {
        abort();
    }
    free(line);
    return 0;
}
