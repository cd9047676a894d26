#include "cli/tasks_inputs.h"

#include "base/mem.h"
#include "repo/verify.h"
#include "tensor/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t place_of(const clv_run_request *r)
{
    return (size_t)r->model * CLV_TASK_INPUTS + (size_t)r->input;
}

const clv_tensors *clv_tasks_inputs_of(const clv_tasks_inputs *in, const clv_run_request *r)
{
    return &in->inputs[place_of(r)];
}

/* Of the largest value of an output. */
static const double tolerances[CLV_QUANT_COUNT] = {[CLV_QUANT_RAW] = CLV_VERIFY_TOLERANCE,
                                                   [CLV_QUANT_F16] = 0.02,
                                                   [CLV_QUANT_Q8] = 0.2,
                                                   [CLV_QUANT_Q8C] = 0.2,
                                                   [CLV_QUANT_Q4] = 0.8};

/* The widest of the codecs that a plan's label names ("conv2 q8+zstd > pool5"). */
static double tolerance_of(const char *plan)
{
    double widest = CLV_VERIFY_TOLERANCE;
    char words[sizeof((clv_request *)0)->plan], *rest = words;
    snprintf(words, sizeof words, "%s", plan);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        clv_codec codec;
        if (clv_codec_parse(word, &codec, NULL) == CLV_OK)
            widest = fmax(widest, tolerances[codec.quant]);
    }
    return widest;
}

bool clv_tasks_inputs_right(const clv_tasks_inputs *in, const clv_run_request *r,
                            const clv_request *answer)
{
    const clv_tensors *expected = &in->expected[place_of(r)], *outputs = &answer->outputs;
    double tolerance = tolerance_of(answer->plan);
    for (size_t i = 0; i < expected->n; i++) {
        const clv_tensor *t = clv_tensors_find(outputs, expected->items[i].name);
        if (!t || !(clv_tensor_difference(t, &expected->items[i]).relative <= tolerance))
            return false;
    }
    return outputs->n == expected->n;
}

/* Inputs of one model from `at` on. */
static clv_status make_model(clv_tasks_inputs *in, const clv_model_info *info, size_t at,
                             clv_rng *rng, clv_error *err)
{
    clv_segment *whole = NULL;
    clv_status status = CLV_OK;
    if (in->expected)
        status = clv_network_segment(info->network, 0, clv_network_cuts(info->network)->n - 1,
                                     &whole, err);
    for (size_t k = at; !status && k < at + CLV_TASK_INPUTS; k++) {
        size_t n;
        const clv_tensor_spec *specs = clv_network_inputs(info->network, &n);
        status = clv_tensors_random(specs, n, 1, rng, &in->inputs[k], err);
        if (!status && whole)
            status = clv_segment_run(whole, in->inputs[k].items, n, &in->expected[k], err);
    }
    clv_segment_unref(whole);
    return status;
}

clv_status clv_tasks_inputs_make(clv_server *server, const clv_run *run, bool check,
                                 clv_tasks_inputs *out, clv_error *err)
{
    out->n = run->models.n * CLV_TASK_INPUTS;
    out->inputs = clv_alloc_array(out->n, sizeof *out->inputs);
    if (check) out->expected = clv_alloc_array(out->n, sizeof *out->expected);
    clv_rng rng = clv_rng_seeded(run->seed);
    clv_status status = CLV_OK;
    for (size_t m = 0; !status && m < run->models.n; m++) {
        clv_model_info info;
        status = clv_server_model_ready(server, run->models.items[m], NULL, &info, err);
        if (status) break;
        status = make_model(out, &info, m * CLV_TASK_INPUTS, &rng, err);
        clv_model_info_done(&info);
    }
    return status;
}

void clv_tasks_inputs_done(clv_tasks_inputs *in)
{
    for (size_t i = 0; i < in->n; i++) {
        if (in->inputs) clv_tensors_done(&in->inputs[i]);
        if (in->expected) clv_tensors_done(&in->expected[i]);
    }
    free(in->inputs);
    free(in->expected);
    *in = (clv_tasks_inputs){0};
}
