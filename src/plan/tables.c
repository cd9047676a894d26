#include "plan/tables.h"

#include "base/mem.h"
#include "plan/tables_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole, within 0 and max; not a number becomes 0. */
static int64_t whole(double x, int64_t max)
{
    if (!(x > 0)) return 0;
    return x < (double)max ? llround(x) : max;
}

int64_t clv_tables_ns(double us)
{
    return whole(us * 1000, CLV_PLAN_NS_MAX);
}

static int64_t variance(double sigma_us)
{
    return whole(ceil(sigma_us * sigma_us), CLV_PLAN_VAR_MAX);
}

static clv_plan_time time_of(const clv_time *t)
{
    return (clv_plan_time){clv_tables_ns(t->us), variance(t->sigma_us)};
}

static void free_tables(clv_plan_tables **t)
{
    clv_plan_tables_free(*t);
}

void clv_plan_tables_free(clv_plan_tables *t)
{
    if (!t) return;
    for (size_t k = 0; k < t->problem.n_devices; k++) {
        free(t->times[k]);
        free(t->measured[k]);
        free(t->unit_ns[k]);
    }
    free(t->codec_cuts);
    free(t);
}

/* The time of the whole network: the last prefix and the first suffix are the same segment. Of the first
 * device the prefix is taken, of the others the suffix, as they run it; the other one where that was
 * not measured. NULL: neither was. */
static const clv_time *whole_time(const clv_profile *p, bool first)
{
    if (p->n_cuts < 2) return NULL;
    const clv_time *prefix = &p->cuts[p->n_cuts - 1].prefix, *suffix = &p->cuts[0].suffix;
    const clv_time *mine = first ? prefix : suffix, *other = first ? suffix : prefix;
    return mine->n ? mine : other->n ? other : NULL;
}

static clv_status check(const clv_plan_sources *from, clv_error *err)
{
    if (from->n_devices < 2 || from->n_devices > CLV_PLAN_DEVICES_MAX)
        return clv_fail(err, CLV_EINVAL, "%zu profiles: a plan is for 2 to %d devices",
                        from->n_devices, CLV_PLAN_DEVICES_MAX);
    const clv_profile *first = from->profiles[0];
    for (size_t k = 0; k < from->n_devices; k++) {
        const clv_profile *p = from->profiles[k];
        if (strcmp(p->digest, first->digest) != 0)
            return clv_fail(err, CLV_EMISMATCH,
                            "the profiles are of different models: device 0 '%s' %.12s, device %zu "
                            "'%s' %.12s",
                            first->model, first->digest, k, p->model, p->digest);
        if (!whole_time(p, true))
            return clv_fail(err, CLV_EINVAL,
                            "device %zu '%s': its profile of '%s' has no time of the whole network",
                            k, p->device, p->model);
    }
    return CLV_OK;
}

static void fill_times(clv_plan_tables *t, size_t k, const clv_profile *p, const int *at)
{
    size_t n = t->problem.cuts->n;
    clv_plan_device *d = &t->problem.devices[k];
    clv_plan_time *prefix = clv_alloc_array(3 * n, sizeof *prefix), *suffix = prefix + n;
    t->times[k] = prefix;
    for (size_t i = 0; i < n; i++) {
        const clv_profile_cut *c = at[i] >= 0 ? &p->cuts[at[i]] : NULL;
        prefix[i] = c && c->prefix.n ? time_of(&c->prefix) : CLV_TABLES_UNKNOWN;
        suffix[i] = c && c->suffix.n ? time_of(&c->suffix) : CLV_TABLES_UNKNOWN;
    }
    prefix[0] = suffix[n - 1] = (clv_plan_time){0};
    prefix[n - 1] = suffix[0] = time_of(whole_time(p, k == 0));
    d->prefix = prefix;
    d->suffix = suffix;
}

static clv_plan_time scaled(const clv_plan_time *t, double factor)
{
    if (t->ns == CLV_PLAN_UNKNOWN) return *t;
    return (clv_plan_time){whole((double)t->ns * factor, CLV_PLAN_NS_MAX),
                           whole((double)t->var_us2 * factor * factor, CLV_PLAN_VAR_MAX)};
}

void clv_plan_tables_correct(clv_plan_tables *t, size_t device, const clv_correction *c,
                             int64_t now_us)
{
    size_t n = t->problem.cuts->n;
    const clv_plan_time *measured = t->measured[device];
    for (size_t i = 0; i < n; i++) {
        double factor = clv_correction_factor(c, i, now_us);
        t->times[device][i] = scaled(&measured[i], factor);
        t->times[device][n + i] = scaled(&measured[n + i], factor);
    }
    if (!t->problem.devices[device].progress) return;
    double level = clv_correction_factor(c, SIZE_MAX, now_us); /* one factor: it must not fall */
    for (size_t i = 0; i < n; i++)
        t->times[device][2 * n + i] = scaled(&measured[2 * n + i], level);
}

static clv_status fill_device(clv_plan_tables *t, size_t k, const clv_plan_sources *from,
                              clv_error *err)
{
    const clv_profile *p = from->profiles[k];
    clv_plan_device *d = &t->problem.devices[k];
    if (p->device[0])
        snprintf(d->name, sizeof d->name, "%s", p->device);
    else
        snprintf(d->name, sizeof d->name, "device %zu", k);
    d->memory_bytes_max = CLV_PLAN_NO_LIMIT;
    d->idle_mw = clv_power_milli(p->power.idle_w);
    d->active_mw = clv_power_milli(clv_power_active_w(&p->power));
    d->price_pm_per_s = clv_power_pico(p->price_per_s);
    CLV_AUTO(clv_free) int *at = clv_tables_match(from->graph, from->cuts, p);
    fill_times(t, k, p, at);
    t->unit_ns[k] = clv_tables_units(from, k);
    d->unit_ns = t->unit_ns[k];
    if (k > 0 && k + 1 < from->n_devices) {
        clv_plan_time *progress = t->times[k] + 2 * from->cuts->n;
        clv_tables_progress(from->graph, from->cuts, d, progress);
        d->progress = progress;
    }
    size_t bytes = 3 * from->cuts->n * sizeof *t->times[k];
    t->measured[k] = clv_alloc(bytes);
    memcpy(t->measured[k], t->times[k], bytes);
    return k + 1 < from->n_devices ? clv_plan_tables_link(t, k, &from->links[k], err) : CLV_OK;
}

clv_status clv_plan_tables_new(const clv_plan_sources *from, clv_plan_tables **out, clv_error *err)
{
    clv_status s = check(from, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(free_tables) clv_plan_tables *t = clv_alloc(sizeof *t);
    t->problem = (clv_plan_problem){.graph = from->graph,
                                    .cuts = from->cuts,
                                    .n_devices = from->n_devices,
                                    .limits = clv_plan_no_limits};
    clv_tables_codecs(t, from);
    for (size_t k = 0; k < from->n_devices && s == CLV_OK; k++) s = fill_device(t, k, from, err);
    if (s == CLV_OK) *out = clv_steal(&t);
    return s;
}

static int64_t ps_per_byte(double bytes_per_s)
{
    return CLV_MAX(whole(1e12 / bytes_per_s, CLV_PLAN_PS_MAX), (int64_t)1);
}

static void fill_radio(clv_plan_hop *h, const clv_radio *r)
{
    h->tx_mw = clv_power_milli(r->tx_w);
    h->rx_mw = clv_power_milli(r->rx_w);
    h->up_pj_per_byte = clv_power_pico(r->up_j_per_byte);
    h->down_pj_per_byte = clv_power_pico(r->down_j_per_byte);
    h->up_pm_per_byte = clv_power_pico(r->up_price_per_byte);
    h->down_pm_per_byte = clv_power_pico(r->down_price_per_byte);
}

clv_status clv_plan_tables_link(clv_plan_tables *t, size_t hop, const clv_link *link,
                                clv_error *err)
{
    if (link->up && (!(link->up_bytes_per_s > 0) || !(link->down_bytes_per_s > 0)))
        return clv_fail(err, CLV_EINVAL,
                        "link %zu is up with rates of %g and %g bytes/s: both must be above 0", hop,
                        link->up_bytes_per_s, link->down_bytes_per_s);
    clv_plan_hop *h = &t->problem.hops[hop];
    t->links[hop] = *link;
    h->up = link->up;
    fill_radio(h, &link->radio);
    if (!link->up) return CLV_OK;
    h->up_ps_per_byte = ps_per_byte(link->up_bytes_per_s);
    h->down_ps_per_byte = ps_per_byte(link->down_bytes_per_s);
    h->rtt_ns = clv_tables_ns(link->rtt_us);
    h->rtt_var_us2 = variance(link->rtt_sigma_us);
    h->up_rel_ppm = whole(link->up_sigma * 1e6, 10000000);
    h->down_rel_ppm = whole(link->down_sigma * 1e6, 10000000);
    return CLV_OK;
}

void clv_plan_tables_wait(clv_plan_tables *t, size_t device, double wait_us)
{
    t->problem.devices[device].queue_ns = clv_tables_ns(wait_us);
}

void clv_plan_tables_overhead(clv_plan_tables *t, size_t hop, double overhead_us)
{
    t->problem.hops[hop].overhead_ns = clv_tables_ns(overhead_us);
}
