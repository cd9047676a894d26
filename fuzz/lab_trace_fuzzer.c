/* A trace of a link from anywhere: ends in steps in order of time, or in one line of error. */
#include "lab/trace.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    clv_lab_trace t;
    clv_error err = {0};
    if (clv_lab_trace_parse((const char *)data, bytes, &t, &err)) {
        if (err.text[0] == 0) abort();
        return 0;
    }
    for (size_t i = 1; i < t.n; i++)
        if (t.steps[i].at_us < t.steps[i - 1].at_us) abort();
    clv_lab_trace_done(&t);
    return 0;
}
