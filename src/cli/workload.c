#include "cli/workload.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { CLV_TRACE_MODELS_MAX = 256 };
#define CLV_TRACE_BYTES_MAX   ((size_t)512 << 20)
#define CLV_TRACE_TIME_MAX_US ((json_int_t)7 * 24 * 3600 * 1000000)

static int add_model(clv_workload *w, const char *name)
{
    for (size_t i = 0; i < w->n_models; i++)
        if (strcmp(w->models[i], name) == 0) return (int)i;
    if (w->n_models >= CLV_TRACE_MODELS_MAX) return -1;
    char **models = clv_alloc_array(w->n_models + 1, sizeof *models);
    if (w->n_models) memcpy(models, w->models, w->n_models * sizeof *models);
    free(w->models);
    w->models = models;
    w->models[w->n_models] = clv_strdup(name);
    return (int)w->n_models++;
}

void clv_workload_make(const clv_workload_mix *mix, clv_workload *out)
{
    *out = (clv_workload){.n = mix->count};
    for (size_t i = 0; i < mix->n_models; i++) (void)add_model(out, mix->models[i]);
    out->tasks = clv_alloc_array(mix->count, sizeof *out->tasks);
    clv_rng rng = clv_rng_seeded(mix->seed);
    double at_us = 0;
    for (size_t i = 0; i < mix->count; i++) {
        if (mix->rate_per_s > 0 && i > 0)
            at_us += clv_rng_exponential(&rng) * 1e6 / mix->rate_per_s;
        out->tasks[i] = (clv_task){.at_us = (int64_t)at_us,
                                   .model = (int)clv_rng_below(&rng, out->n_models),
                                   .input = (int)clv_rng_below(&rng, CLV_TASK_INPUTS)};
    }
}

static clv_status parse_task(clv_workload *w, json_t *doc, size_t line, clv_error *err)
{
    json_t *at = json_object_get(doc, "t_us"), *input = json_object_get(doc, "input");
    const char *model = json_string_value(json_object_get(doc, "model"));
    if (!json_is_integer(at) || json_integer_value(at) < 0 ||
        json_integer_value(at) > CLV_TRACE_TIME_MAX_US)
        return clv_fail(err, CLV_EINVAL,
                        "trace line %zu: 't_us' must be microseconds from 0 to a week", line);
    if (!json_is_integer(input) || json_integer_value(input) < 0 ||
        json_integer_value(input) >= CLV_TASK_INPUTS)
        return clv_fail(err, CLV_EINVAL, "trace line %zu: 'input' must be 0 to %d", line,
                        CLV_TASK_INPUTS - 1);
    if (w->n && json_integer_value(at) < w->tasks[w->n - 1].at_us)
        return clv_fail(err, CLV_EINVAL,
                        "trace line %zu: 't_us' is less than in the line before; in order of time "
                        "is right",
                        line);
    int index = model && *model ? add_model(w, model) : -1;
    if (index < 0)
        return clv_fail(err, CLV_EINVAL,
                        "trace line %zu: 'model' must name one of at most %d models", line,
                        CLV_TRACE_MODELS_MAX);
    w->tasks[w->n++] = (clv_task){json_integer_value(at), index, (int)json_integer_value(input)};
    return CLV_OK;
}

static clv_status parse_line(clv_workload *w, const char *text, size_t n, size_t line,
                             clv_error *err)
{
    json_error_t where;
    json_t *doc = json_loadb(text, n, 0, &where);
    if (!doc)
        return clv_fail(err, CLV_EINVAL, "trace line %zu, column %d: %s", line, where.column,
                        where.text);
    clv_status status = CLV_OK;
    if (line == 1) {
        if (json_integer_value(json_object_get(doc, "cleave_trace")) != CLV_TRACE_SCHEMA)
            status = clv_fail(err, CLV_EINVAL, "trace line 1: {\"cleave_trace\": %d} is right",
                              CLV_TRACE_SCHEMA);
    } else {
        status = parse_task(w, doc, line, err);
    }
    json_decref(doc);
    return status;
}

clv_status clv_workload_parse(const char *text, size_t bytes, clv_workload *out, clv_error *err)
{
    size_t lines = 0;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    if (lines > CLV_TASKS_MAX + 1) /* and the header */
        return clv_fail(err, CLV_ELIMIT, "trace: more than %d requests", CLV_TASKS_MAX);
    clv_workload w = {.tasks = clv_alloc_array(lines + 1, sizeof *w.tasks)};
    clv_status status = CLV_OK;
    size_t line = 0;
    for (const char *at = text, *end = text + bytes; !status && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        status = parse_line(&w, at, n, ++line, err);
        at += n + 1;
    }
    if (!status && w.n == 0) status = clv_fail(err, CLV_EINVAL, "trace: no requests in it");
    if (status) {
        clv_workload_done(&w);
        return status;
    }
    *out = w;
    return CLV_OK;
}

clv_status clv_workload_read(const char *path, clv_workload *out, clv_error *err)
{
    clv_buf text = {0};
    clv_status status = clv_file_read(path, CLV_TRACE_BYTES_MAX, &text, err);
    if (!status) status = clv_workload_parse(text.data ? text.data : "", text.len, out, err);
    if (status) clv_within(err, "'%s'", path);
    clv_buf_done(&text);
    return status;
}

void clv_workload_done(clv_workload *w)
{
    for (size_t i = 0; i < w->n_models; i++) free(w->models[i]);
    free(w->models);
    free(w->tasks);
    *w = (clv_workload){0};
}
