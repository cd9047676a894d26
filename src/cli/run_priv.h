/* The lines of a trace (docs/json.md), as tables that reader and writer share: a field that is
 * added here is read, checked and written. Private to cli/run*.c.
 *
 *     const clv_run_row *row = &clv_run_rows[CLV_RUN_LINK];
 *     clv_run_any any = {0};
 *     for (size_t i = 0; i < row->n_fields; i++)
 *         read_field(line, &row->fields[i], (char *)&any + row->fields[i].offset);
 *
 * A line is {"event": row->name, "t_us": at, ...}; one without an event is a request, as traces of
 * version 1 have it. Numbers are finite and 0 to the field's `max`; times are microseconds since
 * the run began. Texts (model, plan) are in the events as indices into the run's lists, which own
 * them. Threads: constant tables, read by any.
 */
#ifndef CLV_CLI_RUN_PRIV_H
#define CLV_CLI_RUN_PRIV_H

#include "cli/run.h"

#include <stddef.h>

typedef enum clv_run_kind { CLV_RUN_INT, CLV_RUN_REAL, CLV_RUN_BOOL } clv_run_kind;

/* A field of a line: in `name`, or in `name` of the object `inside`. */
typedef struct clv_run_field {
    const char *inside, *name;
    size_t offset; /* in the event's struct */
    clv_run_kind kind;
    bool needed; /* false: 0 if it is not there, and then it is not written either */
    double max;
} clv_run_field;

#define CLV_RUN_EVENT_MAP(X)                                                                       \
    X(REQUEST, request, "request")                                                                 \
    X(LINK, link, "link")                                                                          \
    X(WIRE, wire, "wire")                                                                          \
    X(SWITCH, switch, "plan")                                                                      \
    X(LOAD, load, "load")
typedef enum clv_run_event {
#define X(name, noun, text) CLV_RUN_##name,
    CLV_RUN_EVENT_MAP(X)
#undef X
        CLV_RUN_EVENTS
} clv_run_event;

/* A kind of line. Every struct begins with at_us, which is `t_us`. */
typedef struct clv_run_row {
    const char *name;
    const clv_run_field *fields;
    size_t n_fields, bytes;
} clv_run_row;
extern const clv_run_row clv_run_rows[CLV_RUN_EVENTS];

typedef union clv_run_any {
    int64_t at_us;
    clv_run_request request;
    clv_run_link link;
    clv_run_wire wire;
    clv_run_switch change;
    clv_run_load load;
} clv_run_any;

/* Texts of a line stand for indices: request and plan have model and plan. */
typedef struct clv_run_texts {
    int *model, *plan; /* NULL: the line has none */
} clv_run_texts;
clv_run_texts clv_run_texts_of(clv_run_event event, clv_run_any *any);

#endif
