/* A plan may come from a peer: any bytes either parse into a plan that writes and parses again as the
 * same text, or are refused. */
#include "plan/plan_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_plan plan = {.n_units = 0}, again;
    clv_error err = {0};
    if (clv_plan_parse((const char *)data, size, &plan, &err) != CLV_OK) {
        if (!err.text[0] || plan.unit_device) abort();
        return 0;
    }
    char *text = clv_plan_json(&plan);
    if (!text || clv_plan_parse(text, strlen(text), &again, &err) != CLV_OK) abort();
    char *twice = clv_plan_json(&again);
    if (strcmp(text, twice) != 0) abort();
    clv_plan_done(&plan);
    clv_plan_done(&again);
    free(text);
    free(twice);
    return 0;
}
