#include "api/rest_models.h"

#include "api/metadata.h"
#include "api/rest_reply.h"
#include "base/mem.h"
#include "split/oip.h"

#include <stdlib.h>
#include <string.h>

void clv_rest_server(const clv_rest_call *c)
{
    json_t *extensions = json_array();
#define X(extension) json_array_append_new(extensions, json_string(extension));
    CLV_API_EXTENSION_MAP(X)
#undef X
    clv_rest_reply(c->x, 200,
                   json_pack("{s:s, s:s, s:o}", "name", CLV_API_NAME, "version", CLEAVE_VERSION,
                             "extensions", extensions));
}

void clv_rest_live(const clv_rest_call *c)
{
    clv_rest_reply(c->x, 200, json_pack("{s:b}", "live", 1));
}

void clv_rest_ready(const clv_rest_call *c)
{
    bool ready = clv_server_ready(c->server);
    clv_rest_reply(c->x, ready ? 200 : 503, json_pack("{s:b}", "ready", ready));
}

void clv_rest_load(const clv_rest_call *c)
{
    clv_lane_load load = clv_server_load(c->server);
    clv_rest_reply(c->x, 200,
                   json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}", "queue", load.waiting + load.running,
                             "ahead_us", (json_int_t)load.ahead_us, "wait_us",
                             (json_int_t)load.wait_us, "ran", (json_int_t)load.ran, "together",
                             (json_int_t)load.together, "dropped", (json_int_t)load.withdrawn));
}

static json_t *index_row(const clv_model_info *m)
{
    const char *reason = m->reason ? m->reason : "";
    const char *state = m->ready ? "READY" : m->reason ? "UNAVAILABLE" : "LOADING";
    return json_pack("{s:s, s:s, s:s, s:s}", "name", m->name, "version", m->version, "state", state,
                     "reason", reason);
}

/* The body may be empty or {"ready": true}: only those that are. */
static clv_status read_index_request(const clv_rest_call *c, bool *only_ready, clv_error *err)
{
    clv_body *body = clv_exchange_body(c->x);
    json_t *document = NULL;
    if (clv_body_bytes(body) == 0) return CLV_OK;
    if (clv_body_bytes(body) > CLV_REST_BODY_JSON_MAX)
        return clv_fail(err, CLV_ELIMIT, "request JSON is over %d bytes", CLV_REST_BODY_JSON_MAX);
    clv_status st = clv_rest_parse(clv_body_data(body), clv_body_bytes(body), &document, err);
    if (!st) *only_ready = json_is_true(json_object_get(document, "ready"));
    json_decref(document);
    return st;
}

void clv_rest_index(const clv_rest_call *c)
{
    bool only_ready = false;
    clv_error err = {0};
    if (read_index_request(c, &only_ready, &err)) {
        clv_rest_reply_error(c->x, &err);
        return;
    }
    size_t n;
    clv_model_info *models = clv_server_models(c->server, &n);
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        if (models[i].ready || !only_ready) json_array_append_new(rows, index_row(&models[i]));
        clv_model_info_done(&models[i]);
    }
    free(models);
    clv_rest_reply(c->x, 200, rows);
}

static json_t *specs_json(const clv_tensor_spec *specs, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *shape = json_array();
        for (int d = 0; d < specs[i].shape.rank; d++)
            json_array_append_new(shape, json_integer(specs[i].shape.dim[d]));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", specs[i].name, "datatype",
                                              clv_dtype_oip(specs[i].dtype), "shape", shape));
    }
    return list;
}

void clv_rest_model(const clv_rest_call *c)
{
    CLV_AUTO(clv_metadata_done) clv_metadata m = {0};
    clv_error err = {0};
    if (clv_metadata_get(c->server, c->model, c->version, &m, &err)) {
        clv_rest_reply_error(c->x, &err);
        return;
    }
    json_t *versions = json_array(), *parameters = json_object();
    for (size_t i = 0; i < m.versions.n; i++)
        json_array_append_new(versions, json_string(m.versions.items[i]));
    json_object_set_new(parameters, "version", json_string(m.info.version));
    json_object_set_new(parameters, "cleave_protocol", json_integer(CLV_PEER_PROTOCOL));
    if (m.info.digest) json_object_set_new(parameters, "digest", json_string(m.info.digest));
    if (m.info.plan) json_object_set_new(parameters, "plan", json_string(m.info.plan));
    if (m.info.mode) json_object_set_new(parameters, "mode", json_string(m.info.mode));
    if (m.info.plan)
        json_object_set_new(parameters, "withheld", json_integer((json_int_t)m.info.withheld));
    clv_rest_reply(c->x, 200,
                   json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "name", m.info.name, "versions",
                             versions, "platform", CLV_API_PLATFORM, "inputs",
                             specs_json(m.inputs, m.n_inputs), "outputs",
                             specs_json(m.outputs, m.n_outputs), "parameters", parameters));
}

void clv_rest_model_ready(const clv_rest_call *c)
{
    clv_model_info info = {0};
    clv_error err = {0};
    if (clv_server_model(c->server, c->model, c->version, &info, &err)) {
        clv_rest_reply_error(c->x, &err);
        return;
    }
    clv_rest_reply(c->x, info.ready ? 200 : 503,
                   json_pack("{s:s, s:s, s:b}", "name", info.name, "version", info.version, "ready",
                             info.ready));
    clv_model_info_done(&info);
}

static void reply_profile(void *arg, const char *text, const clv_error *error)
{
    if (text)
        clv_rest_reply_text(arg, 200, clv_strdup(text));
    else
        clv_rest_reply_error(arg, error);
}

void clv_rest_profile(const clv_rest_call *c)
{
    clv_server_profile(c->server, c->model, c->version, reply_profile, c->x);
}

void clv_rest_chain(const clv_rest_call *c)
{
    clv_error err = {0};
    char *text;
    bool profiles = strcmp(clv_exchange_query(c->x), "profiles=true") == 0;
    if (clv_server_chain(c->server, c->model, c->version, profiles, &text, &err))
        clv_rest_reply_error(c->x, &err);
    else
        clv_rest_reply_text(c->x, 200, text);
}

static void reply_prepared(void *arg, const clv_error *error)
{
    if (error)
        clv_rest_reply_error(arg, error);
    else
        clv_rest_reply(arg, 200, json_pack("{s:b}", "ready", 1));
}

static clv_status check_names(const json_t *names, clv_error *err)
{
    size_t i;
    const json_t *name;
    if (!json_is_array(names) || json_array_size(names) == 0)
        return clv_fail(err, CLV_EINVAL, "\"inputs\" is not a list of tensor names");
    json_array_foreach(names, i, name) if (!json_is_string(name)) return clv_fail(
        err, CLV_EINVAL, "\"inputs\"[%zu] is not a tensor name", i);
    return CLV_OK;
}

void clv_rest_prepare(const clv_rest_call *c)
{
    clv_body *body = clv_exchange_body(c->x);
    clv_error err = {0};
    json_t *document = NULL;
    clv_status st =
        clv_body_bytes(body) > CLV_REST_BODY_JSON_MAX
            ? clv_fail(&err, CLV_ELIMIT, "request JSON is over %d bytes", CLV_REST_BODY_JSON_MAX)
            : clv_rest_parse(clv_body_data(body), clv_body_bytes(body), &document, &err);
    const json_t *names = json_object_get(document, "inputs");
    const json_t *way = json_object_get(document, "route");
    if (!st && way && !json_is_string(way))
        st = clv_fail(&err, CLV_EINVAL, "\"route\" is not a text");
    if (st || check_names(names, &err)) {
        json_decref(document);
        clv_rest_reply_error(c->x, &err);
        return;
    }
    size_t n = json_array_size(names);
    const char **texts = clv_alloc_array(n, sizeof *texts);
    for (size_t i = 0; i < n; i++) texts[i] = json_string_value(json_array_get(names, i));
    clv_server_prepare(c->server, c->model, c->version, texts, n, json_string_value(way),
                       reply_prepared, c->x);
    free(texts);
    json_decref(document);
}
