/* A calibration may come from anywhere: any bytes either parse into a value that writes and parses
 * again and predicts times above 0, or are refused. */
#include "cost/predictor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void predict(const clv_calibration *c)
{
    clv_predictor *p = NULL;
    clv_error err = {0};
    if (clv_predictor_new(c, &p, &err) != CLV_OK) return;
    for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++) {
        clv_unit_place place = {.features = {.kind = (clv_unit_kind)k,
                                             .in_channels = 8,
                                             .out_channels = 8,
                                             .kernel_h = 1,
                                             .kernel_w = 1,
                                             .stride = 1,
                                             .groups = 1,
                                             .macs = 1000,
                                             .in_bytes = 4096,
                                             .out_bytes = 4096}};
        clv_prediction t = clv_predictor_unit(p, &place);
        if (!(t.us > 0) || !isfinite(t.us) || !(t.sigma_us >= 0)) abort();
    }
    clv_predictor_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_calibration *c = NULL;
    clv_error err = {0};
    if (clv_calibration_parse((const char *)data, size, &c, &err) != CLV_OK) {
        if (!err.text[0] || c) abort();
        return 0;
    }
    char *text = clv_calibration_json(c);
    clv_calibration *again = NULL;
    if (!text || clv_calibration_parse(text, strlen(text), &again, &err) != CLV_OK) abort();
    if (again->n_networks != c->n_networks || again->complete != c->complete) abort();
    predict(again);
    clv_calibration_free(again);
    clv_calibration_free(c);
    free(text);
    return 0;
}
