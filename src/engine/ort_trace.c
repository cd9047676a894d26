/* clv_ort_trace(): ONNX Runtime's profiler writes one event for each operator of each run into a
 * file; this reads it. */
#include "base/file.h"
#include "base/mem.h"
#include "base/stats.h"
#include "engine/ort_priv.h"
#include "engine/pages.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { TRACE_WARM_UP = 2, TRACE_RUNS_MAX = 1000, TRACE_CALM_MIN = 4 };
#define TRACE_FILE_MAX ((size_t)256 << 20)
/* Its durations are cut to whole microseconds. */
#define TRACE_CUT_US 0.5
static const char event_end[] = "_kernel_time";

static void free_json(json_t **j)
{
    json_decref(*j);
}

static void remove_dir(char **dir)
{
    if (*dir) clv_dir_remove(*dir);
    free(*dir);
}

/* Of one operator: one for each run, the warm-up's included. */
typedef struct durations {
    double *us;
    size_t n, cap;
} durations;

typedef struct trace_table {
    clv_trace *trace;
    durations *steps; /* of trace->steps */
    size_t cap_steps, cap_durations;
    int *step_of; /* node index -> step + 1 */
    size_t n_nodes;
} trace_table;

static void table_done(trace_table *t)
{
    for (size_t i = 0; t->trace && i < t->trace->n; i++) free(t->steps[i].us);
    free(t->steps);
    free(t->step_of);
}

/* "…": {"name": "conv1_kernel_time", "dur": 12, "args": {"op_name": "Conv", "node_index": "3"}} */
static void read_event(trace_table *t, const json_t *event)
{
    const char *name = json_string_value(json_object_get(event, "name"));
    const json_t *args = json_object_get(event, "args"), *us = json_object_get(event, "dur");
    const char *op = json_string_value(json_object_get(args, "op_name"));
    const char *index = json_string_value(json_object_get(args, "node_index"));
    size_t n = name ? strlen(name) : 0, end = sizeof event_end - 1;
    if (!op || !index || !json_is_integer(us) || n <= end || strcmp(name + n - end, event_end) != 0)
        return;
    size_t node = strtoul(index, NULL, 10);
    if (node >= 1 << 20) return;
    clv_grow(&t->step_of, &t->n_nodes, node + 1, sizeof *t->step_of);
    if (!t->step_of[node]) {
        size_t i = t->trace->n++;
        clv_grow(&t->trace->steps, &t->cap_steps, i + 1, sizeof *t->trace->steps);
        clv_grow(&t->steps, &t->cap_durations, i + 1, sizeof *t->steps);
        t->trace->steps[i] =
            (clv_trace_step){.name = clv_strndup(name, n - end), .op = clv_strdup(op)};
        t->step_of[node] = (int)i + 1;
    }
    durations *d = &t->steps[t->step_of[node] - 1];
    clv_grow(&d->us, &d->cap, d->n + 1, sizeof *d->us);
    d->us[d->n++] = (double)json_integer_value(us) + TRACE_CUT_US;
}

/* What all operators took together in run i, by those that ran once in every run. */
static double run_us(const trace_table *t, size_t i, size_t runs)
{
    double us = 0;
    for (size_t k = 0; k < t->trace->n; k++)
        if (t->steps[k].n == runs) us += t->steps[k].us[i];
    return us;
}

/* A median of runs as if all had taken as long as the usual one: the speed of the machine changes from
 * run to run, and that of all operators together. Runs that the kernel interrupted are left out if there
 * are a few others, those of the warm-up always. */
static void take_medians(trace_table *t, const bool *calm, size_t n_calm, size_t runs)
{
    CLV_AUTO(clv_free) double *all = clv_alloc_array(runs, sizeof *all);
    CLV_AUTO(clv_free) double *us = clv_alloc_array(runs, sizeof *us);
    size_t n = 0;
    for (size_t i = TRACE_WARM_UP; i < runs; i++) {
        all[i] = n_calm < TRACE_CALM_MIN || calm[i] ? run_us(t, i, runs) : 0;
        if (all[i] > 0) us[n++] = all[i];
    }
    double usual = n ? clv_median(us, n) : 0;
    for (size_t k = 0; k < t->trace->n; k++) {
        const durations *d = &t->steps[k];
        n = 0;
        for (size_t i = TRACE_WARM_UP; i < runs && i < d->n; i++)
            if (all[i] > 0) us[n++] = d->us[i] * usual / all[i];
        t->trace->steps[k].us = n ? clv_median(us, n) : 0;
    }
}

static clv_status read_trace(const char *path, const bool *calm, size_t n_calm, size_t runs,
                             clv_trace *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf text = {0};
    clv_status s = clv_file_read(path, TRACE_FILE_MAX, &text, err);
    if (s != CLV_OK) return s;
    json_error_t why;
    CLV_AUTO(free_json) json_t *events = json_loadb(text.data, text.len, 0, &why);
    if (!json_is_array(events))
        return clv_fail(err, CLV_EENGINE, "ONNX Runtime's trace is not a list: %s", why.text);
    CLV_AUTO(table_done) trace_table t = {.trace = out};
    for (size_t i = 0; i < json_array_size(events); i++) read_event(&t, json_array_get(events, i));
    take_medians(&t, calm, n_calm, runs);
    if (out->n == 0) return clv_fail(err, CLV_EENGINE, "ONNX Runtime's trace tells of no operator");
    return CLV_OK;
}

static long interruptions(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_nivcsw : 0;
}

/* calm[i]: run i was not interrupted. */
static clv_status run_all(clv_session *s, const clv_tensor *inputs, size_t n, int runs, bool *calm,
                          size_t *n_calm, clv_error *err)
{
    clv_status status = CLV_OK;
    for (int i = 0; i < runs + TRACE_WARM_UP && status == CLV_OK; i++) {
        clv_tensors outputs = {0};
        long before = interruptions();
        status = clv_session_run(s, inputs, n, &outputs, err);
        calm[i] = interruptions() == before;
        *n_calm += i >= TRACE_WARM_UP && calm[i];
        if (i == 0) clv_pages_enlarge(); /* as wherever it is run */
        clv_tensors_done(&outputs);
    }
    return status;
}

static clv_status end_profile(const OrtApi *api, OrtSession *session, char **path, clv_error *err)
{
    OrtAllocator *allocator;
    char *name = NULL;
    ORT_TRY(api, api->GetAllocatorWithDefaultOptions(&allocator), "trace", err);
    ORT_TRY(api, api->SessionEndProfiling(session, allocator, &name), "trace", err);
    *path = clv_strdup(name);
    return clv_ort_check(api, api->AllocatorFree(allocator, name), "trace", err);
}

clv_status clv_ort_trace(clv_engine *base, const clv_source *source, const clv_tensor *inputs,
                         size_t n_inputs, int runs, clv_trace *out, clv_error *err)
{
    if (runs < 1 || runs > TRACE_RUNS_MAX)
        return clv_fail(err, CLV_EINVAL, "%d traced runs: expected 1 to %d", runs, TRACE_RUNS_MAX);
    ort_engine *e = (ort_engine *)base;
    CLV_AUTO(remove_dir) char *dir = NULL;
    CLV_AUTO(clv_text_free) char *path = NULL;
    OrtSessionOptions *o = NULL;
    OrtSession *session = NULL;
    clv_session *s = NULL;
    clv_status status = clv_dir_temp("trace", &dir, err);
    if (status != CLV_OK) return status;
    CLV_AUTO(clv_text_free) char *prefix = clv_path_join(dir, "run");
    ORT_TRY(e->api, e->api->CreateSessionOptions(&o), "options", err);
    status = clv_ort_fill_options(e, source, o, ORT_ENABLE_ALL, err);
    if (!status) status = clv_ort_check(e->api, e->api->EnableProfiling(o, prefix), "trace", err);
    if (!status) status = clv_ort_create(e, source, o, &session, err);
    e->api->ReleaseSessionOptions(o);
    if (status) return status;
    OrtValue **none = clv_alloc_array(1, sizeof *none);
    status = clv_ort_session_new(e, session, none, 0, &s, err);
    if (status) return status;
    size_t all_runs = (size_t)runs + TRACE_WARM_UP;
    CLV_AUTO(clv_free) bool *calm = clv_alloc_array(all_runs, sizeof *calm);
    size_t n_calm = 0;
    status = run_all(s, inputs, n_inputs, runs, calm, &n_calm, err);
    clv_error ignored = {0}; /* the first failure counts */
    clv_status ended = end_profile(e->api, session, &path, status ? &ignored : err);
    clv_session_free(s);
    if (!status) status = ended;
    return status ? status : read_trace(path, calm, n_calm, all_runs, out, err);
}
