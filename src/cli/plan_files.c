#include "cli/plan_files.h"

#include "base/file.h"
#include "base/mem.h"
#include "cli/device_options.h"
#include "cost/predictor.h"
#include "measure/profiler.h"
#include "repo/network.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is read of all files before the graph is known. */
typedef struct reading {
    clv_calibration *calibrations[CLV_PLAN_DEVICES_MAX];
    clv_plan_files files;
} reading;

static void reading_done(reading *r)
{
    for (size_t k = 0; k < CLV_PLAN_DEVICES_MAX; k++) clv_calibration_free(r->calibrations[k]);
    clv_plan_files_done(&r->files);
}

void clv_plan_files_done(clv_plan_files *f)
{
    for (size_t k = 0; k < f->n; k++) clv_profile_free(f->profiles[k]);
    clv_cuts_free(f->cuts);
    clv_graph_free(f->graph);
    *f = (clv_plan_files){0};
}

/* A calibration has networks, a profile has cuts. */
static bool is_calibration(const clv_buf *text)
{
    json_t *o = json_loadb(text->data ? text->data : "", text->len, 0, NULL);
    bool calibration = json_object_get(o, "networks") && !json_object_get(o, "cuts");
    json_decref(o);
    return calibration;
}

static clv_status read_one(const char *path, reading *r, size_t k, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf text = {0};
    clv_status s = clv_file_read(path, CLV_CALIBRATION_FILE_MAX, &text, err);
    if (s != CLV_OK) return s;
    const char *json = text.data ? text.data : "";
    r->files.predicted[k] = is_calibration(&text);
    s = r->files.predicted[k] ? clv_calibration_parse(json, text.len, &r->calibrations[k], err)
                              : clv_profile_parse(json, text.len, &r->files.profiles[k], err);
    if (s == CLV_OK) return CLV_OK;
    return clv_within(err, "%s '%s'", r->files.predicted[k] ? "calibration" : "profile", path);
}

static void close_engine(clv_engine **engine)
{
    clv_engine_free(*engine);
}
static void close_network(clv_network **network)
{
    clv_network_unref(*network);
}

/* The network as the engine here cuts it: a profile without times. */
static clv_status look_at(const clv_located *model, clv_profile **out, clv_error *err)
{
    CLV_AUTO(close_engine) clv_engine *engine = NULL;
    CLV_AUTO(close_network) clv_network *network = NULL;
    const clv_device_options device = {.device = "cpu", .threads = 1, .slowdown = 1};
    clv_status s = clv_device_engine(&device, &engine, err);
    if (s == CLV_OK)
        s = clv_network_open(model->path, engine, &(clv_network_options){0}, &network, err);
    if (s != CLV_OK) return s;
    *out = clv_profiler_blank(network);
    snprintf((*out)->model, sizeof(*out)->model, "%s", model->name);
    return CLV_OK;
}

static void free_profile(clv_profile **p)
{
    clv_profile_free(*p);
}
static void free_predictor(clv_predictor **p)
{
    clv_predictor_free(*p);
}

static clv_status predict(reading *r, size_t k, const clv_profile *of, clv_error *err)
{
    CLV_AUTO(free_predictor) clv_predictor *p = NULL;
    clv_status s = clv_predictor_new(r->calibrations[k], &p, err);
    if (s == CLV_OK)
        s = clv_predictor_profile(p, r->files.graph, r->files.cuts, NULL, 0, &r->files.profiles[k],
                                  err);
    if (s != CLV_OK) return s;
    clv_profile *made = r->files.profiles[k];
    memcpy(made->model, of->model, sizeof made->model);
    memcpy(made->digest, of->digest, sizeof made->digest);
    return CLV_OK;
}

clv_status clv_plan_files_read(const char *const *paths, size_t n, const clv_located *model,
                               clv_plan_files *out, clv_error *err)
{
    CLV_AUTO(reading_done) reading r = {.files = {.n = n}};
    CLV_AUTO(free_profile) clv_profile *blank = NULL;
    const clv_profile *first = NULL;
    clv_status s = CLV_OK;
    for (size_t k = 0; k < n && s == CLV_OK; k++) {
        s = read_one(paths[k], &r, k, err);
        if (!first) first = r.files.profiles[k];
    }
    if (s == CLV_OK && !first) {
        s = look_at(model, &blank, err);
        first = blank;
    }
    if (s == CLV_OK) s = clv_profile_graph(first, &r.files.graph, err);
    if (s == CLV_OK) s = clv_cuts_enumerate(r.files.graph, CLV_CUTS_CAP, &r.files.cuts, err);
    for (size_t k = 0; k < n && s == CLV_OK; k++) {
        if (r.files.predicted[k]) s = predict(&r, k, first, err);
        if (s != CLV_OK) s = clv_within(err, "calibration '%s'", paths[k]);
    }
    if (s != CLV_OK) return s;
    *out = r.files;
    r.files = (clv_plan_files){0};
    return CLV_OK;
}
