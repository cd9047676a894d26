#include "cli/tasks_look.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LINK_AGAIN_US 1000000
/* A change of the estimate that is worth a line. */
#define LINK_CHANGE 0.01

static bool moved(double before, double now)
{
    return fabs(now - before) > LINK_CHANGE * fabs(before);
}

static bool worth_noting(const clv_run *t, const clv_run_link *now)
{
    if (t->n_links == 0) return true;
    const clv_run_link *last = &t->links[t->n_links - 1];
    return last->up != now->up || now->at_us - last->at_us >= LINK_AGAIN_US ||
           moved(last->up_bytes_per_s, now->up_bytes_per_s) ||
           moved(last->down_bytes_per_s, now->down_bytes_per_s) || moved(last->rtt_us, now->rtt_us);
}

void clv_tasks_look_link(clv_tasks_look *l, int64_t at_us)
{
    clv_link link;
    if (!clv_server_link(l->server, &link)) return;
    clv_run_link now = {
        .at_us = at_us, .up = link.up, .asked_bytes = (int64_t)clv_server_asked_bytes(l->server)};
    if (link.up) {
        now.up_bytes_per_s = link.up_bytes_per_s;
        now.down_bytes_per_s = link.down_bytes_per_s;
        now.rtt_us = link.rtt_us;
        now.up_sigma = fmin(link.up_sigma, CLV_RUN_SIGMA_MAX);
        now.down_sigma = fmin(link.down_sigma, CLV_RUN_SIGMA_MAX);
        now.rtt_sigma_us = fmin(link.rtt_sigma_us, (double)CLV_RUN_TIME_MAX_US);
    }
    if (worth_noting(l->trace, &now)) clv_run_add_link(l->trace, &now);
}

static void look_at_plans(clv_tasks_look *l, int64_t at_us)
{
    clv_run *t = l->trace;
    if (!l->plans) {
        l->plans = clv_alloc_array(t->models.n, sizeof *l->plans);
        for (size_t m = 0; m < t->models.n; m++) l->plans[m] = -1;
    }
    for (size_t m = 0; m < t->models.n; m++) {
        clv_model_info info;
        if (clv_server_model(l->server, t->models.items[m], NULL, &info, NULL)) continue;
        int plan = info.plan ? clv_run_name(&t->plans, info.plan) : -1;
        clv_model_info_done(&info);
        if (plan < 0 || plan == l->plans[m]) continue;
        l->plans[m] = plan;
        clv_run_add_switch(t, &(clv_run_switch){.at_us = at_us, .model = (int)m, .plan = plan});
    }
}

void clv_tasks_look_now(clv_tasks_look *l, int64_t at_us, const clv_run_load *load)
{
    clv_run *t = l->trace;
    clv_tasks_look_link(l, at_us);
    look_at_plans(l, at_us);
    clv_run_load now = *load;
    const clv_run_load *last = t->n_loads ? &t->loads[t->n_loads - 1] : NULL;
    now.at_us = at_us;
    if (!last || last->waiting != now.waiting || last->in_flight != now.in_flight ||
        last->failed != now.failed)
        clv_run_add_load(t, &now);
}

void clv_tasks_look_saw(clv_tasks_look *l, const clv_run_request *r)
{
    if (r->status == CLV_OK) clv_live_window_add(&l->window, (double)r->timing.total_us);
    l->recovered += r->recovered;
    l->hedged += r->hedged;
}

char *clv_tasks_look_line(const clv_tasks_look *l)
{
    const clv_run *t = l->trace;
    clv_live live = {.peer = t->n_links > 0,
                     .recovered = l->recovered,
                     .hedged = l->hedged,
                     .p50_us = clv_live_window_quantile(&l->window, 0.50),
                     .p95_us = clv_live_window_quantile(&l->window, 0.95)};
    if (t->n_links) live.link = t->links[t->n_links - 1];
    if (t->n_loads) {
        const clv_run_load *load = &t->loads[t->n_loads - 1];
        live.waiting = load->waiting;
        live.in_flight = load->in_flight;
        live.failed = load->failed;
    }
    if (t->n_switches) { /* of the model that switched last */
        live.plan = t->plans.items[t->switches[t->n_switches - 1].plan];
        live.more_plans = t->models.n - 1;
    }
    return clv_live_line(&live);
}

void clv_tasks_look_done(clv_tasks_look *l)
{
    free(l->plans);
    l->plans = NULL;
}
