/* JSON lines into a trace. */
#include "base/file.h"
#include "base/mem.h"
#include "cli/run_priv.h"
#include "cost/fields.h"

#include <stdlib.h>
#include <string.h>

static clv_status read_value(const clv_place *at, const clv_run_field *f, void *event,
                             clv_error *err)
{
    char *to = (char *)event + f->offset;
    int64_t whole = 0;
    double real = 0;
    bool flag = false;
    clv_status status = CLV_OK;
    switch (f->kind) {
    case CLV_RUN_INT:
        status = clv_field_count(at, f->name, (int64_t)f->max, &whole, err);
        memcpy(to, &whole, sizeof whole);
        break;
    case CLV_RUN_REAL:
        status = clv_field_real(at, f->name, 0, f->max, &real, err);
        memcpy(to, &real, sizeof real);
        break;
    case CLV_RUN_BOOL:
        status = clv_field_bool(at, f->name, &flag, err);
        memcpy(to, &flag, sizeof flag);
        break;
    }
    return status;
}

static clv_status read_field(const clv_place *line, const clv_run_field *f, void *event,
                             clv_error *err)
{
    clv_place at = *line;
    if (f->inside) {
        clv_status status = clv_field_object(line, f->inside, &at, err);
        if (status) return status;
    }
    if (!f->needed && !json_object_get(at.object, f->name)) return CLV_OK;
    return read_value(&at, f, event, err);
}

static clv_status read_name(const clv_place *line, const char *key, clv_text_list *names, int *out,
                            clv_error *err)
{
    char name[CLV_RUN_NAME_MAX];
    clv_status status = clv_field_fixed_text(line, key, name, sizeof name, err);
    if (status) return status;
    if (!*name) return clv_field_bad(err, line, key, "must not be empty");
    *out = clv_run_name(names, name);
    return *out < 0 ? clv_fail(err, CLV_ELIMIT, "field '%s': more than %d different ones", key,
                               CLV_RUN_NAMES_MAX)
                    : CLV_OK;
}

static clv_status read_status(const clv_place *line, clv_status *out, clv_error *err)
{
    char text[64];
    clv_status status = clv_field_fixed_text(line, "status", text, sizeof text, err);
    if (status) return status;
    for (int s = 0; s < CLV_STATUS_COUNT; s++)
        if (strcmp(text, clv_status_text((clv_status)s)) == 0) {
            *out = (clv_status)s;
            return CLV_OK;
        }
    return clv_field_bad(err, line, "status", "is none; \"ok\" is right");
}

/* What became of a request, if the line tells. Only its arrival counts in version 1. */
static clv_status read_outcome(clv_run *t, const clv_place *line, int version, clv_run_request *r,
                               clv_error *err)
{
    r->plan = -1;
    r->ended = version > 1 && json_object_get(line->object, "status") != NULL;
    if (!r->ended) return CLV_OK;
    clv_status status = read_status(line, &r->status, err);
    if (!status && json_object_get(line->object, "plan"))
        status = read_name(line, "plan", &t->plans, &r->plan, err);
    return status;
}

static void add(clv_run *t, clv_run_event event, const clv_run_any *any)
{
    switch (event) {
    case CLV_RUN_REQUEST: clv_run_add_request(t, &any->request); break;
    case CLV_RUN_LINK: clv_run_add_link(t, &any->link); break;
    case CLV_RUN_WIRE: clv_run_add_wire(t, &any->wire); break;
    case CLV_RUN_SWITCH: clv_run_add_switch(t, &any->change); break;
    case CLV_RUN_LOAD: clv_run_add_load(t, &any->load); break;
    case CLV_RUN_EVENTS: break;
    }
}

/* An up link has a rate, and what the lab is asked for must be possible. */
static clv_status check(const clv_run *t, clv_run_event event, const clv_run_any *any,
                        clv_error *err)
{
    if (event == CLV_RUN_LINK && any->link.up &&
        !(any->link.up_bytes_per_s > 0 && any->link.down_bytes_per_s > 0))
        return clv_fail(err, CLV_EINVAL, "the link is up, its rates must be above 0");
    if (event == CLV_RUN_REQUEST && t->n_requests >= CLV_RUN_REQUESTS_MAX)
        return clv_fail(err, CLV_ELIMIT, "more than %d requests", CLV_RUN_REQUESTS_MAX);
    if (event != CLV_RUN_WIRE) return CLV_OK;
    clv_status status = clv_shape_check(&any->wire.up, err);
    return status ? status : clv_shape_check(&any->wire.down, err);
}

static clv_status event_of(const clv_place *line, int version, clv_run_event *out, clv_error *err)
{
    char name[16];
    *out = CLV_RUN_REQUEST;
    if (version < 2 || !json_object_get(line->object, "event")) return CLV_OK;
    clv_status status = clv_field_fixed_text(line, "event", name, sizeof name, err);
    if (status) return status;
    for (int e = 0; e < CLV_RUN_EVENTS; e++)
        if (strcmp(name, clv_run_rows[e].name) == 0) {
            *out = (clv_run_event)e;
            return CLV_OK;
        }
    return clv_fail(err, CLV_EINVAL,
                    "event '%s' is unknown; request, link, wire, plan and load are right", name);
}

typedef struct reading {
    clv_run *t;
    int version;
    int64_t at_us; /* of the line before */
} reading;

static clv_status read_event(reading *in, const clv_place *line, clv_error *err)
{
    clv_run_event event;
    clv_status status = event_of(line, in->version, &event, err);
    if (status) return status;
    const clv_run_row *row = &clv_run_rows[event];
    /* version 1 says when, which model and which input; the rest was for people */
    size_t n = in->version < 2 ? 2 : row->n_fields;
    clv_run_any any;
    memset(&any, 0, sizeof any);
    for (size_t i = 0; i < n && !status; i++) status = read_field(line, &row->fields[i], &any, err);
    clv_run_texts texts = clv_run_texts_of(event, &any);
    if (!status && texts.model) status = read_name(line, "model", &in->t->models, texts.model, err);
    if (!status && event == CLV_RUN_REQUEST)
        status = read_outcome(in->t, line, in->version, &any.request, err);
    else if (!status && texts.plan)
        status = read_name(line, "plan", &in->t->plans, texts.plan, err);
    if (!status) status = check(in->t, event, &any, err);
    if (!status && any.at_us < in->at_us)
        status = clv_fail(err, CLV_EINVAL,
                          "'t_us' is less than in the line before; in order of time is right");
    if (status) return status;
    in->at_us = any.at_us;
    add(in->t, event, &any);
    return CLV_OK;
}

static clv_status read_header(reading *in, const clv_place *line, clv_error *err)
{
    int64_t version = 0, seed = 0;
    clv_error why = {0};
    if (clv_field_count(line, "cleave_trace", INT32_MAX, &version, &why) || version < 1)
        return clv_fail(err, CLV_EINVAL, "{\"cleave_trace\": %d} is right", CLV_RUN_SCHEMA);
    if (version > CLV_RUN_SCHEMA)
        return clv_fail(err, CLV_EUNSUPPORTED,
                        "{\"cleave_trace\": %lld} is of a later cleave, this one reads 1 to %d",
                        (long long)version, CLV_RUN_SCHEMA);
    in->version = (int)version;
    if (!json_object_get(line->object, "seed")) return CLV_OK;
    clv_status status = clv_field_count(line, "seed", INT64_MAX, &seed, err);
    in->t->seed = (uint64_t)seed;
    return status;
}

static clv_status read_line(reading *in, const char *text, size_t n, clv_error *err)
{
    json_error_t where;
    if (n > CLV_RUN_LINE_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu bytes, at most %d are possible", n, CLV_RUN_LINE_MAX);
    CLV_AUTO(clv_json_free) json_t *doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
    if (!doc) return clv_fail(err, CLV_EINVAL, "column %d: %s", where.column, where.text);
    if (!json_is_object(doc)) return clv_fail(err, CLV_EINVAL, "no object; {...} is right");
    const clv_place line = {.object = doc};
    return in->version ? read_event(in, &line, err) : read_header(in, &line, err);
}

clv_status clv_run_parse(const char *text, size_t bytes, clv_run *out, clv_error *err)
{
    clv_run t = {0};
    reading in = {.t = &t};
    clv_error why = {0};
    clv_status status = CLV_OK;
    size_t number = 0;
    for (const char *at = text, *end = text + bytes; !status && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        if (++number > CLV_RUN_LINES_MAX)
            status =
                clv_fail(&why, CLV_ELIMIT, "more than %d lines are not read", CLV_RUN_LINES_MAX);
        else
            status = read_line(&in, at, n, &why);
        at += n + 1;
    }
    if (!status && t.n_requests == 0) {
        clv_run_done(&t);
        return clv_fail(err, CLV_EINVAL, "trace: no requests in it");
    }
    if (status) {
        clv_run_done(&t);
        return clv_fail(err, status, "trace line %zu: %s", number, why.text);
    }
    *out = t;
    return CLV_OK;
}

clv_status clv_run_read(const char *path, clv_run *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf text = {0};
    clv_status status = clv_file_read(path, CLV_RUN_BYTES_MAX, &text, err);
    if (!status) status = clv_run_parse(text.data ? text.data : "", text.len, out, err);
    return status ? clv_within(err, "'%s'", path) : CLV_OK;
}
