/* Any text as the way of a request through a network of two units in a row; what is accepted must
 * write to something that reads as the same. */
#include "base/mem.h"
#include "split/itinerary.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char names[5][4] = {"x", "a", "b;%", "y", "u"};
static int wires[4] = {0, 1, 2, 3};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_graph_tensor tensors[4] = {
        {.name = names[0]}, {.name = names[1]}, {.name = names[2]}, {.name = names[3]}};
    const clv_graph g = {.tensors = tensors, .n_tensors = 4};
    uint64_t ideals[4] = {0, 1, 3, 7};
    clv_cut items[4];
    for (int i = 0; i < 4; i++)
        items[i] = (clv_cut){
            .units = &ideals[i], .n_units = (size_t)i, .live = &wires[i], .n_live = i < 3};
    const clv_cuts cuts = {.items = items, .n = 4, .words = 1};
    clv_route r, again;
    CLV_AUTO(clv_text_free) char *text = clv_strndup((const char *)data, size);
    if (clv_itinerary_parse(text, 0, &cuts, &g, &r, NULL)) return 0;
    clv_route before = {.n = r.n + 1};
    for (size_t k = 0; k < r.n; k++) {
        before.cut[k + 1] = r.cut[k];
        if (k + 1 < r.n) before.codec[k + 1] = r.codec[k];
    }
    CLV_AUTO(clv_text_free) char *back = NULL;
    if (clv_itinerary_text(&before, &cuts, &g, &back, NULL)) abort();
    if (clv_itinerary_parse(back, 0, &cuts, &g, &again, NULL) || !clv_route_equal(&r, &again))
        abort();
    return 0;
}
