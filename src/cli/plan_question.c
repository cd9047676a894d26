#include "cli/plan_question.h"

#include "base/mem.h"
#include "base/nearest.h"
#include "base/unit.h"
#include "cli/plan_devices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const clv_opt clv_plan_question_opts[] = {
    CLV_OPT(clv_plan_question_options, objective, TEXT, "objective", "latency", .arg = "GOAL",
            .help = "latency, p95, energy, price, throughput or weighted:latency=1,energy=0.5"),
    CLV_OPT(clv_plan_question_options, deadline_us, DURATION, "deadline", NULL, .min = 1,
            .help = "the longest that a request may take (its quantile, if the objective has one)"),
    CLV_OPT(clv_plan_question_options, energy_limit, TEXT, "energy-limit", NULL, .arg = "JOULES",
            .help = "the most energy for one request, e.g. 1.5J or 200mJ"),
    CLV_OPT(clv_plan_question_options, price_limit, REAL, "price-limit", NULL, .arg = "MONEY",
            .min = 1e-12, .max = 1e6, .help = "the most money for one request"),
    CLV_OPT(clv_plan_question_options, memories, LIST, "memory", NULL, .arg = "DEVICE=SIZE",
            .help = "the most memory for a device's segment: weights and activations"),
    CLV_OPT(clv_plan_question_options, pins, TEXTS, "pin", NULL, .arg = "UNIT=DEVICE",
            .help = "run this unit on this device; once for each unit"),
    CLV_OPT(clv_plan_question_options, private, TEXT, "private", "none", .arg = "POLICY",
            .help = "what must stay on the first device: input, first:N, class:map, tensor:NAME"),
    CLV_OPT(clv_plan_question_options, allow_return, FLAG, "allow-return", NULL,
            .help = "two devices: later units may run on the first device again"),
};
const size_t clv_plan_question_opts_n = CLV_COUNT(clv_plan_question_opts);

/* --memory DEVICE=SIZE */
static clv_status set_memories(const clv_plan_question_options *o, clv_plan_problem *p,
                               clv_error *err)
{
    for (size_t i = 0; i < o->memories.n; i++) {
        CLV_AUTO(clv_text_free) char *name = NULL;
        CLV_AUTO(clv_text_free) char *size = NULL;
        size_t device = 0;
        clv_error why = {0};
        clv_status s = clv_plan_split_pair("memory", o->memories.items[i],
                                           "DEVICE=SIZE, e.g. edge=256MiB", &name, &size, err);
        if (s != CLV_OK) return s;
        if (clv_plan_device_find(p, name, &device, &why) ||
            clv_parse_size(size, &p->devices[device].memory_bytes_max, &why))
            return clv_fail(err, CLV_EUSAGE, "--memory: %s", why.text);
    }
    return CLV_OK;
}

static clv_status find_unit(const clv_graph *g, const char *name, size_t *out, clv_error *err)
{
    clv_nearest near = clv_nearest_to(name);
    for (size_t u = 0; u < g->n_units; u++) {
        if (strcmp(g->units[u].name, name) == 0) {
            *out = u;
            return CLV_OK;
        }
        clv_nearest_try(&near, g->units[u].name);
    }
    if (near.name)
        return clv_fail(err, CLV_EUSAGE, "no unit is named '%.100s', did you mean '%.100s'?", name,
                        near.name);
    return clv_fail(err, CLV_EUSAGE,
                    "no unit is named '%.100s'; 'cleave inspect' lists them, e.g. '%.100s'", name,
                    g->n_units ? g->units[0].name : "");
}

static clv_status set_pin(const char *text, const clv_plan_problem *p, uint8_t *devices,
                          clv_error *err)
{
    CLV_AUTO(clv_text_free) char *name = NULL;
    CLV_AUTO(clv_text_free) char *where = NULL;
    size_t unit = 0, device = 0;
    clv_error why = {0};
    clv_status s =
        clv_plan_split_pair("pin", text, "UNIT=DEVICE, e.g. conv1=edge", &name, &where, err);
    if (s != CLV_OK) return s;
    if (find_unit(p->graph, name, &unit, &why) || clv_plan_device_find(p, where, &device, &why))
        return clv_fail(err, CLV_EUSAGE, "--pin: %s", why.text);
    devices[unit] &= (uint8_t)(1u << device);
    if (devices[unit]) return CLV_OK;
    return clv_fail(err, CLV_EUSAGE, "--pin '%.200s': the unit is pinned to another device too",
                    text);
}

static clv_status set_pins(const clv_plan_question_options *o, clv_plan_problem *p,
                           clv_plan_question *q, clv_error *err)
{
    if (!o->pins.n) return CLV_OK;
    q->unit_devices = clv_alloc_array(p->graph->n_units, 1);
    memset(q->unit_devices, (int)((1u << p->n_devices) - 1), p->graph->n_units);
    clv_status s = CLV_OK;
    for (size_t i = 0; i < o->pins.n && s == CLV_OK; i++)
        s = set_pin(o->pins.items[i], p, q->unit_devices, err);
    p->limits.unit_devices = q->unit_devices;
    return s;
}

static clv_status set_privacy(const clv_plan_question_options *o, clv_plan_problem *p,
                              clv_plan_question *q, clv_error *err)
{
    clv_privacy privacy = {0};
    clv_error why = {0};
    if (clv_privacy_parse(o->private, &privacy, &why))
        return clv_fail(err, CLV_EUSAGE, "--private: %s", why.text);
    if (!clv_privacy_any(&privacy)) return CLV_OK;
    q->stays = clv_alloc_array(p->graph->n_tensors, sizeof *q->stays);
    if (clv_privacy_tensors(&privacy, p->graph, q->stays, &why))
        return clv_fail(err, CLV_EUSAGE, "--private: %s", why.text);
    p->limits.stays = q->stays;
    return CLV_OK;
}

/* The first device of the set that is not before `least`; -1: none. */
static int next_device(uint8_t set, int least)
{
    for (int d = least; d < CLV_PLAN_DEVICES_MAX; d++)
        if (set >> d & 1) return d;
    return -1;
}

/* Work never goes back to an earlier device, so each unit needs one at or behind those that it reads
 * from. With a way back only the sets count. */
static clv_status check_order(const clv_plan_problem *p, clv_error *err)
{
    if (!p->limits.unit_devices && !p->limits.stays) return CLV_OK;
    const clv_graph *g = p->graph;
    CLV_AUTO(clv_free) int *device = clv_alloc_array(g->n_units, sizeof *device);
    for (size_t u = 0; u < g->n_units; u++) {
        uint8_t set = clv_plan_unit_devices(p, u);
        int least = 0, blame = CLV_NO_UNIT;
        for (size_t i = 0; i < g->units[u].n_inputs && !p->may_return; i++) {
            int by = g->tensors[g->units[u].inputs[i]].producer;
            if (by == CLV_NO_UNIT || device[by] <= least) continue;
            least = device[by];
            blame = by;
        }
        if (!set)
            return clv_fail(err, CLV_EUSAGE,
                            "--pin and --private contradict each other: unit '%.200s' is pinned "
                            "behind '%s', but what it reads or makes must stay there",
                            g->units[u].name, p->devices[0].name);
        device[u] = next_device(set, least);
        if (device[u] < 0)
            return clv_fail(err, CLV_EUSAGE,
                            "--pin or --private: unit '%.120s' must run before '%s', but reads "
                            "from '%.120s', which runs there or later; --allow-return would do",
                            g->units[u].name, p->devices[least].name, g->units[blame].name);
    }
    return CLV_OK;
}

/* An energy (a price) that nobody stated would be 0 everywhere, and any plan the best. */
static clv_status check_known(const clv_plan_question_options *o, const clv_plan_problem *p,
                              clv_error *err)
{
    const clv_plan_objective *goal = &p->objective;
    bool weighted = goal->goal == CLV_GOAL_WEIGHTED, watts = false, money = false;
    for (size_t k = 0; k < p->n_devices; k++) {
        const clv_plan_hop *h = &p->hops[k];
        watts |= p->devices[k].active_mw || p->devices[k].idle_mw;
        money |= p->devices[k].price_pm_per_s != 0;
        if (k + 1 == p->n_devices) break;
        watts |= h->tx_mw || h->rx_mw || h->up_pj_per_byte || h->down_pj_per_byte;
        money |= h->up_pm_per_byte || h->down_pm_per_byte;
    }
    bool asks_watts = goal->goal == CLV_GOAL_ENERGY || (weighted && goal->joule_weight);
    bool asks_money = goal->goal == CLV_GOAL_PRICE || (weighted && goal->money_weight);
    if ((asks_watts || o->energy_limit) && !watts)
        return clv_fail(err, CLV_EUSAGE,
                        "%s: no device or link states its watts; give them, e.g. --power "
                        "%s=idle=2W,active=7W --radio wifi",
                        asks_watts ? "--objective" : "--energy-limit", p->devices[0].name);
    if ((asks_money || o->price_limit > 0) && !money)
        return clv_fail(err, CLV_EUSAGE,
                        "%s: no device or link states a price; give one, e.g. --power "
                        "%s=price=0.5/h --radio price=0.09/GB",
                        asks_money ? "--objective" : "--price-limit",
                        p->devices[p->n_devices - 1].name);
    return CLV_OK;
}

static clv_status set_energy_limit(const char *text, int64_t *nj, clv_error *err)
{
    static const clv_unit_row units[] = {
        {"J", 1}, {"mJ", 1e-3}, {"uJ", 1e-6}, {"kJ", 1e3}, {"", 1}};
    static const clv_quantity_kind kind = {"an energy", "1.5J or 200mJ", units, CLV_COUNT(units)};
    double joules = 0;
    clv_error why = {0};
    if (!text) return CLV_OK;
    if (clv_parse_unit(text, &kind, &joules, &why))
        return clv_fail(err, CLV_EUSAGE, "--energy-limit: %s", why.text);
    if (!(joules > 0) || joules > 1e6)
        return clv_fail(err, CLV_EUSAGE, "--energy-limit '%.60s': must be above 0 and at most 1 MJ",
                        text);
    *nj = llround(joules * 1e9);
    return CLV_OK;
}

clv_status clv_plan_question_ask(const clv_plan_question_options *o, clv_plan_problem *p,
                                 clv_plan_question *out, clv_error *err)
{
    p->may_return = o->allow_return;
    if (p->may_return && p->n_devices != 2)
        return clv_fail(err, CLV_EUSAGE, "--allow-return: is for two devices, there are %zu",
                        p->n_devices);
    clv_status s = clv_plan_objective_parse(o->objective, &p->objective, err);
    if (s == CLV_OK) s = set_energy_limit(o->energy_limit, &p->limits.energy_nj, err);
    if (s != CLV_OK) return s;
    if (o->deadline_us > 0)
        p->limits.deadline_ns = CLV_MIN(o->deadline_us, INT64_MAX / 2000) * 1000;
    if (o->price_limit > 0) p->limits.price_pm = llround(o->price_limit * 1e12);
    CLV_AUTO(clv_plan_question_done) clv_plan_question q = {0};
    s = set_memories(o, p, err);
    if (s == CLV_OK) s = set_pins(o, p, &q, err);
    if (s == CLV_OK) s = set_privacy(o, p, &q, err);
    if (s == CLV_OK) s = check_order(p, err);
    if (s == CLV_OK) s = check_known(o, p, err);
    if (s != CLV_OK) return s;
    *out = q;
    q = (clv_plan_question){0};
    return CLV_OK;
}

void clv_plan_question_done(clv_plan_question *q)
{
    free(q->unit_devices);
    free(q->stays);
    *q = (clv_plan_question){0};
}
