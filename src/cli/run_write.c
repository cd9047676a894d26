/* A trace as JSON lines. */
#include "base/file.h"
#include "cli/run_priv.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void put_value(json_t *line, const clv_run_field *f, const void *event)
{
    const char *from = (const char *)event + f->offset;
    json_t *at = line;
    int64_t whole = 0;
    double real = 0;
    bool flag = false;
    if (f->inside) {
        at = json_object_get(line, f->inside);
        if (!at) json_object_set_new(line, f->inside, at = json_object());
    }
    switch (f->kind) {
    case CLV_RUN_INT:
        memcpy(&whole, from, sizeof whole);
        whole = CLV_MAX(whole, 0); /* a reader takes none below */
        if (whole || f->needed) json_object_set_new(at, f->name, json_integer(whole));
        break;
    case CLV_RUN_REAL:
        memcpy(&real, from, sizeof real);
        if (real != 0 || f->needed) json_object_set_new(at, f->name, json_real(real));
        break;
    case CLV_RUN_BOOL:
        memcpy(&flag, from, sizeof flag);
        if (flag || f->needed) json_object_set_new(at, f->name, json_boolean(flag));
        break;
    }
}

static void put_name(json_t *line, const char *key, const clv_text_list *names, int index)
{
    if (index >= 0) json_object_set_new(line, key, json_string(names->items[index]));
}

static void print_event(const clv_run *t, clv_run_event event, const void *from, clv_buf *out)
{
    const clv_run_row *row = &clv_run_rows[event];
    clv_run_any any;
    memset(&any, 0, sizeof any);
    memcpy(&any, from, row->bytes);
    bool arrival = event == CLV_RUN_REQUEST && !any.request.ended;
    json_t *line = json_pack("{s:s}", "event", row->name);
    for (size_t i = 0; i < (arrival ? 2 : row->n_fields); i++)
        put_value(line, &row->fields[i], &any);
    clv_run_texts texts = clv_run_texts_of(event, &any);
    if (texts.model) put_name(line, "model", &t->models, *texts.model);
    if (texts.plan && !arrival) put_name(line, "plan", &t->plans, *texts.plan);
    if (event == CLV_RUN_REQUEST && !arrival)
        json_object_set_new(line, "status", json_string(clv_status_text(any.request.status)));
    char *text = json_dumps(line, JSON_COMPACT);
    clv_buf_text(out, text);
    clv_buf_char(out, '\n');
    free(text);
    json_decref(line);
}

/* One list on its way into the merged lines. */
typedef struct source {
    const char *items;
    size_t n, next;
} source;

static int64_t time_of(const source *s, size_t bytes)
{
    int64_t at_us;
    memcpy(&at_us, s->items + s->next * bytes, sizeof at_us);
    return at_us;
}

void clv_run_print(const clv_run *t, clv_buf *out)
{
    source sources[CLV_RUN_EVENTS] = {
        [CLV_RUN_REQUEST] = {(const char *)t->requests, t->n_requests, 0},
        [CLV_RUN_LINK] = {(const char *)t->links, t->n_links, 0},
        [CLV_RUN_WIRE] = {(const char *)t->wires, t->n_wires, 0},
        [CLV_RUN_SWITCH] = {(const char *)t->switches, t->n_switches, 0},
        [CLV_RUN_LOAD] = {(const char *)t->loads, t->n_loads, 0}};
    clv_buf_printf(out, "{\"cleave_trace\": %d, \"seed\": %llu}\n", CLV_RUN_SCHEMA,
                   (unsigned long long)t->seed);
    for (;;) {
        int first = -1;
        int64_t at_us = 0;
        for (int e = 0; e < CLV_RUN_EVENTS; e++) {
            if (sources[e].next == sources[e].n) continue;
            int64_t its_us = time_of(&sources[e], clv_run_rows[e].bytes);
            if (first >= 0 && its_us >= at_us) continue;
            first = e;
            at_us = its_us;
        }
        if (first < 0) return;
        source *s = &sources[first];
        size_t bytes = clv_run_rows[first].bytes;
        print_event(t, (clv_run_event)first, s->items + s->next++ * bytes, out);
    }
}

clv_status clv_run_write(const char *path, const clv_run *t, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf text = {0};
    clv_run_print(t, &text);
    return clv_file_write(path, text.data, text.len, err);
}
