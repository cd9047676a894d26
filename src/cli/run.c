/* A trace as a value, and its tables of lines; run_read.c and run_write.c are the text. */
#include "cli/run.h"
#include "base/mem.h"
#include "cli/run_priv.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_MAX   1e12
#define RATE_MAX    1e12
#define TIME_MAX    ((double)CLV_RUN_TIME_MAX_US)
#define CARRIED_MAX 1e15 /* bytes over a whole run */

#define FIELD(type, inside_, name_, member, kind_, needed_, max_)                                  \
    {                                                                                              \
        .inside = (inside_), .name = (name_), .offset = offsetof(type, member),                    \
        .kind = CLV_RUN_##kind_, .needed = (needed_), .max = (max_)                                \
    }

static const clv_run_field request_fields[] = {
    FIELD(clv_run_request, NULL, "t_us", at_us, INT, true, TIME_MAX),
    FIELD(clv_run_request, NULL, "input", input, INT, true, CLV_TASK_INPUTS - 1),
    FIELD(clv_run_request, NULL, "sent_us", sent_us, INT, false, TIME_MAX),
#define X(name, about) FIELD(clv_run_request, NULL, #name, timing.name, INT, false, TIME_MAX),
    CLV_TIMING_MAP(X)
#undef X
        FIELD(clv_run_request, NULL, "predicted_us", predicted_us, INT, false, TIME_MAX),
    FIELD(clv_run_request, NULL, "up_bytes", up_bytes, INT, false, COUNT_MAX),
    FIELD(clv_run_request, NULL, "down_bytes", down_bytes, INT, false, COUNT_MAX),
    FIELD(clv_run_request, NULL, "tensor_bytes", tensor_bytes, INT, false, COUNT_MAX),
    FIELD(clv_run_request, NULL, "coded_bytes", coded_bytes, INT, false, COUNT_MAX),
    FIELD(clv_run_request, NULL, "recovered", recovered, BOOL, false, 0),
    FIELD(clv_run_request, NULL, "hedged", hedged, BOOL, false, 0),
    FIELD(clv_run_request, NULL, "stayed", stayed, BOOL, false, 0),
    FIELD(clv_run_request, NULL, "mismatch", mismatch, BOOL, false, 0),
    FIELD(clv_run_request, NULL, "energy_j", energy_j, REAL, false, 1e12),
    FIELD(clv_run_request, NULL, "price", price, REAL, false, 1e12),
};

static const clv_run_field link_fields[] = {
    FIELD(clv_run_link, NULL, "t_us", at_us, INT, true, TIME_MAX),
    FIELD(clv_run_link, NULL, "up", up, BOOL, true, 0),
    FIELD(clv_run_link, NULL, "up_bytes_per_s", up_bytes_per_s, REAL, false, RATE_MAX),
    FIELD(clv_run_link, NULL, "down_bytes_per_s", down_bytes_per_s, REAL, false, RATE_MAX),
    FIELD(clv_run_link, NULL, "rtt_us", rtt_us, REAL, false, TIME_MAX),
    FIELD(clv_run_link, NULL, "up_sigma", up_sigma, REAL, false, CLV_RUN_SIGMA_MAX),
    FIELD(clv_run_link, NULL, "down_sigma", down_sigma, REAL, false, CLV_RUN_SIGMA_MAX),
    FIELD(clv_run_link, NULL, "rtt_sigma_us", rtt_sigma_us, REAL, false, TIME_MAX),
    FIELD(clv_run_link, NULL, "asked_bytes", asked_bytes, INT, false, CARRIED_MAX),
};

#define WAY(way)                                                                                   \
    FIELD(clv_run_wire, #way, "bytes_per_s", way.rate_bytes_per_s, REAL, false, RATE_MAX),         \
        FIELD(clv_run_wire, #way, "delay_us", way.delay_us, INT, false, CLV_SHAPE_DELAY_US_MAX),   \
        FIELD(clv_run_wire, #way, "jitter_us", way.jitter_us, INT, false, CLV_SHAPE_DELAY_US_MAX), \
        FIELD(clv_run_wire, #way, "loss", way.loss, REAL, false, 1),                               \
        FIELD(clv_run_wire, #way, "queue_bytes", way.queue_bytes, INT, false, CLV_SHAPE_QUEUE_MAX)
static const clv_run_field wire_fields[] = {
    FIELD(clv_run_wire, NULL, "t_us", at_us, INT, true, TIME_MAX),
    FIELD(clv_run_wire, NULL, "link", link, INT, false, 15),
    WAY(up),
    WAY(down),
    FIELD(clv_run_wire, "up", "carried_bytes", up_bytes, INT, false, CARRIED_MAX),
    FIELD(clv_run_wire, "down", "carried_bytes", down_bytes, INT, false, CARRIED_MAX),
};

static const clv_run_field switch_fields[] = {
    FIELD(clv_run_switch, NULL, "t_us", at_us, INT, true, TIME_MAX),
};

static const clv_run_field load_fields[] = {
    FIELD(clv_run_load, NULL, "t_us", at_us, INT, true, TIME_MAX),
    FIELD(clv_run_load, NULL, "waiting", waiting, INT, true, COUNT_MAX),
    FIELD(clv_run_load, NULL, "in_flight", in_flight, INT, true, COUNT_MAX),
    FIELD(clv_run_load, NULL, "failed", failed, INT, true, COUNT_MAX),
};

const clv_run_row clv_run_rows[CLV_RUN_EVENTS] = {
#define X(NAME, noun, text)                                                                        \
    [CLV_RUN_##NAME] = {text, noun##_fields, CLV_COUNT(noun##_fields), sizeof(clv_run_##noun)},
    CLV_RUN_EVENT_MAP(X)
#undef X
};

_Static_assert(offsetof(clv_run_request, at_us) == 0 && offsetof(clv_run_link, at_us) == 0 &&
                   offsetof(clv_run_wire, at_us) == 0 && offsetof(clv_run_switch, at_us) == 0 &&
                   offsetof(clv_run_load, at_us) == 0,
               "lines are merged by their first member");

clv_run_texts clv_run_texts_of(clv_run_event event, clv_run_any *any)
{
    if (event == CLV_RUN_REQUEST) return (clv_run_texts){&any->request.model, &any->request.plan};
    if (event == CLV_RUN_SWITCH) return (clv_run_texts){&any->change.model, &any->change.plan};
    return (clv_run_texts){0};
}

int clv_run_name(clv_text_list *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->items[i], name) == 0) return (int)i;
    size_t n = strlen(name);
    if (names->n >= CLV_RUN_NAMES_MAX || n >= CLV_RUN_NAME_MAX) return -1;
    clv_text_list_add(names, name, n);
    return (int)names->n - 1;
}

#define X(NAME, noun, text, list)                                                                  \
    void clv_run_add_##noun(clv_run *t, const clv_run_##noun *one)                                 \
    {                                                                                              \
        clv_grow(&t->list, &t->cap_##list, t->n_##list + 1, sizeof *t->list);                      \
        t->list[t->n_##list++] = *one;                                                             \
    }
X(REQUEST, request, "", requests)
X(LINK, link, "", links)
X(WIRE, wire, "", wires)
X(SWITCH, switch, "", switches)
X(LOAD, load, "", loads)
#undef X

size_t clv_run_ended(const clv_run *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_requests; i++) n += t->requests[i].ended;
    return n;
}

int64_t clv_run_took_us(const clv_run *t)
{
    int64_t took_us = 0;
    for (size_t i = 0; i < t->n_requests; i++)
        if (t->requests[i].ended)
            took_us = CLV_MAX(took_us, t->requests[i].sent_us + t->requests[i].timing.total_us);
    return took_us;
}

void clv_run_done(clv_run *t)
{
    if (!t) return;
    clv_text_list_done(&t->models);
    clv_text_list_done(&t->plans);
    free(t->requests);
    free(t->links);
    free(t->wires);
    free(t->switches);
    free(t->loads);
    *t = (clv_run){0};
}
