/* A run of `cleave tasks` as a value: when which request came and what became of it, and beside
 * them what the link, the plans and the queue did. Written and read as JSON lines (docs/json.md),
 * drawn by cli/run_chart.h, repeated by cli/workload.h and cli/wire.h.
 *
 *     clv_run t;
 *     clv_run_read("run.jsonl", &t, &err);            // believes nothing: limits, ranges, order
 *     for (size_t i = 0; i < t.n_requests; i++) t.models.items[t.requests[i].model] ...
 *     clv_run_write("again.jsonl", &t, &err);
 *     clv_run_done(&t);
 *
 * Times are microseconds since the start of the run, in order within each list. A request that only
 * arrives (`ended` false) is what a person writes by hand, and what version 1 of the format had to
 * say.
 *
 * Ownership: a run owns its lists. Threads: one at a time. Errors name the line and the field:
 * CLV_EINVAL, and CLV_ELIMIT for too much.
 */
#ifndef CLV_CLI_RUN_H
#define CLV_CLI_RUN_H

#include "base/buf.h"
#include "base/opt.h"
#include "lab/shape.h"
#include "split/request.h"

enum {
    CLV_RUN_SCHEMA = 2, /* written; 1 is read too */
    CLV_RUN_LINES_MAX = 4000000,
    CLV_RUN_REQUESTS_MAX = 1000000,
    CLV_RUN_LINE_MAX = 8192, /* bytes */
    CLV_RUN_NAMES_MAX = 256, /* models, and plans */
    CLV_RUN_NAME_MAX = 128,  /* bytes, with the end */
    CLV_TASK_INPUTS = 4,     /* each model has so many seeded inputs */
};
#define CLV_RUN_BYTES_MAX   ((size_t)1 << 30)
#define CLV_RUN_SIGMA_MAX   1e6
#define CLV_RUN_TIME_MAX_US (INT64_C(7) * 24 * 3600 * 1000000)

typedef struct clv_run_request {
    int64_t at_us; /* when it was due */
    int model;     /* of `models` */
    int64_t input; /* which of the model's CLV_TASK_INPUTS inputs */
    bool ended;    /* what follows is known */
    bool recovered, hedged, stayed, mismatch;
    int plan; /* of `plans`; -1: none */
    clv_status status;
    int64_t sent_us;      /* when it was handed in */
    int64_t predicted_us; /* by the plan; 0: not known */
    int64_t up_bytes, down_bytes;
    int64_t tensor_bytes,
        coded_bytes; /* of the tensors that went to the peer: plain, and as they were written */
    clv_timing timing;
    double energy_j, price; /* 0: not known */
} clv_run_request;

/* The link as the node took it to be. */
typedef struct clv_run_link {
    int64_t at_us;
    bool up;
    double up_bytes_per_s, down_bytes_per_s, rtt_us;
    double up_sigma, down_sigma, rtt_sigma_us;
    int64_t asked_bytes; /* that pings and probes have sent upwards so far */
} clv_run_link;

/* An emulated link as the lab made it: the truth. */
typedef struct clv_run_wire {
    int64_t at_us;
    int64_t link; /* number in the lab */
    clv_shape_values up, down;
    int64_t up_bytes, down_bytes; /* carried since the lab was made; also what no request sent */
} clv_run_wire;

/* From now on requests for the model begin on this plan. */
typedef struct clv_run_switch {
    int64_t at_us;
    int model, plan;
} clv_run_switch;

typedef struct clv_run_load {
    int64_t at_us;
    int64_t waiting;   /* due, not handed in yet */
    int64_t in_flight; /* handed in, not answered yet */
    int64_t failed;    /* so far */
} clv_run_load;

typedef struct clv_run {
    uint64_t seed; /* of the inputs */
    clv_text_list models, plans;
    clv_run_request *requests;
    clv_run_link *links;
    clv_run_wire *wires;
    clv_run_switch *switches;
    clv_run_load *loads;
    size_t n_requests, n_links, n_wires, n_switches, n_loads;
    size_t cap_requests, cap_links, cap_wires, cap_switches, cap_loads;
} clv_run;

/* The index of a name in `models` or `plans`, added if it is new; -1: there are CLV_RUN_NAMES_MAX,
 * or it is too long. */
int clv_run_name(clv_text_list *names, const char *name);

/* One more at the end of its list. */
void clv_run_add_request(clv_run *t, const clv_run_request *r);
void clv_run_add_link(clv_run *t, const clv_run_link *l);
void clv_run_add_wire(clv_run *t, const clv_run_wire *w);
void clv_run_add_switch(clv_run *t, const clv_run_switch *s);
void clv_run_add_load(clv_run *t, const clv_run_load *l);

/* Requests that have ended. */
size_t clv_run_ended(const clv_run *t);
/* From the start to the last answer. */
int64_t clv_run_took_us(const clv_run *t);

CLV_MUST
clv_status clv_run_parse(const char *text, size_t bytes, clv_run *out, clv_error *err);
/* "-" is standard input. */
CLV_MUST
clv_status clv_run_read(const char *path, clv_run *out, clv_error *err);
/* All lists merged by time. "-" is standard output. */
void clv_run_print(const clv_run *t, clv_buf *out);
CLV_MUST
clv_status clv_run_write(const char *path, const clv_run *t, clv_error *err);
void clv_run_done(clv_run *t);

#endif
