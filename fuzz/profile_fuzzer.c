/* A profile may come from a peer: any bytes either parse into a value that writes and parses again,
 * or are refused. */
#include "cost/profile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_profile *p = NULL;
    clv_error err = {0};
    if (clv_profile_parse((const char *)data, size, &p, &err) != CLV_OK) {
        if (!err.text[0] || p) abort();
        return 0;
    }
    char *text = clv_profile_json(p);
    clv_profile *again = NULL;
    if (!text || clv_profile_parse(text, strlen(text), &again, &err) != CLV_OK) abort();
    if (again->n_cuts != p->n_cuts || again->n_units != p->n_units) abort();
    clv_graph *g = NULL;
    if (clv_profile_graph(again, &g, &err) != CLV_OK || g->n_tensors != p->n_tensors) abort();
    clv_graph_free(g);
    clv_profile_free(again);
    clv_profile_free(p);
    free(text);
    return 0;
}
