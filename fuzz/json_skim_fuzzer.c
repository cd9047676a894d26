/* Any text as an inference request: what a JSON parser takes whole, it takes without its data. */
#include "api/json_skim.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_json_skim skim;
    clv_error err = {0};
    const char *text = (const char *)data;
    json_t *whole = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (clv_json_skim_text(text, size, &skim, &err) == CLV_OK) {
        json_t *rest = skim.rest.len
                           ? json_loadb(skim.rest.data, skim.rest.len, JSON_REJECT_DUPLICATES, NULL)
                           : NULL;
        if (whole && !rest) abort();
        for (size_t i = 0; i < skim.n_spans; i++)
            if (skim.spans[i].text < text || skim.spans[i].text + skim.spans[i].bytes > text + size)
                abort();
        json_decref(rest);
        clv_json_skim_done(&skim);
    } else if (whole && err.status != CLV_ELIMIT) {
        abort();
    }
    json_decref(whole);
    return 0;
}
