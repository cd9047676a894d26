/* Any text as what crossed a peer's links; what is accepted must write to something that reads as the same. */
#include "base/mem.h"
#include "split/crossing.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_crossings c, again;
    CLV_AUTO(clv_text_free) char *text = clv_strndup((const char *)data, size);
    if (clv_crossings_parse(text, &c, NULL)) return 0;
    CLV_AUTO(clv_text_free) char *back = clv_crossings_text(&c);
    if (strlen(back) >= CLV_CROSSINGS_TEXT_MAX || clv_crossings_parse(back, &again, NULL)) abort();
    if (again.n != c.n) abort();
    for (size_t k = 0; k < c.n; k++)
        if (strcmp(again.hops[k].codec, c.hops[k].codec) != 0 ||
            again.hops[k].coded_bytes != c.hops[k].coded_bytes ||
            again.hops[k].down_bytes != c.hops[k].down_bytes)
            abort();
    return 0;
}
