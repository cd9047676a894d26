/* The check of plan/problem.h: every field in range, with a name for it in the error. */
#include "plan/problem.h"

#include <inttypes.h>
#include <string.h>

/* "device 1", "hop 0", "codec 'q8'", ... and a number that belongs to it. */
typedef struct field {
    const char *name;
    int64_t value, min, max;
} field;

static clv_status check_fields(const char *what, size_t index, const field *fields, size_t n,
                               clv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const field *f = &fields[i];
        if (f->value < f->min || f->value > f->max)
            return clv_fail(err, CLV_EINVAL,
                            "problem: %s %zu: %s is %" PRId64 ", must be within %" PRId64
                            " and %" PRId64,
                            what, index, f->name, f->value, f->min, f->max);
    }
    return CLV_OK;
}

static clv_status check_name(const char *what, size_t index, const char *name, size_t size,
                             clv_error *err)
{
    if (name[0] && memchr(name, 0, size)) return CLV_OK;
    return clv_fail(err, CLV_EINVAL, "problem: %s %zu: its name must have 1 to %zu bytes", what,
                    index, size - 1);
}

static clv_status check_cuts(const clv_plan_problem *p, clv_error *err)
{
    if (!p->graph || !p->cuts) return clv_fail(err, CLV_EINVAL, "problem: no graph or no cuts");
    const clv_cuts *c = p->cuts;
    if (c->n < 2)
        return clv_fail(err, CLV_EINVAL, "problem: a plan chooses among two cuts or more, got %zu",
                        c->n);
    size_t first = c->items[0].n_units, last = c->items[c->n - 1].n_units;
    if (first == 0 && last == p->graph->n_units) return CLV_OK;
    return clv_fail(err, CLV_EINVAL,
                    "problem: the first cut has %zu units and the last %zu, must be 0 and all %zu",
                    first, last, p->graph->n_units);
}

/* One of a device's arrays of times over the cuts. All are looked at together first: problems are checked each
 * time they are planned, and nothing is wrong with nearly all. */
static clv_status check_times(const clv_plan_problem *p, size_t device, const char *name,
                              const clv_plan_time *times, clv_error *err)
{
    size_t n = p->cuts->n;
    uint64_t ns_bits = 0, var_bits = 0; /* no time has more than all of them together */
    for (size_t i = 0; i < n; i++) {
        uint64_t known = times[i].ns == CLV_PLAN_UNKNOWN ? 0 : UINT64_MAX;
        ns_bits |= (uint64_t)times[i].ns & known;
        var_bits |= (uint64_t)times[i].var_us2 & known;
    }
    if (ns_bits <= CLV_PLAN_NS_MAX && var_bits <= CLV_PLAN_VAR_MAX) return CLV_OK;
    for (size_t i = 0; i < n; i++) {
        int64_t ns = times[i].ns, var = times[i].var_us2;
        if (ns == CLV_PLAN_UNKNOWN) continue;
        if (ns < 0 || ns > CLV_PLAN_NS_MAX || var < 0 || var > CLV_PLAN_VAR_MAX)
            return clv_fail(err, CLV_EINVAL,
                            "problem: device %zu '%s': %s[%zu] is %" PRId64 " ns, variance %" PRId64
                            " us^2: must be within 0 and %" PRId64 ", 0 and %" PRId64,
                            device, p->devices[device].name, name, i, ns, var, CLV_PLAN_NS_MAX,
                            CLV_PLAN_VAR_MAX);
    }
    return CLV_OK;
}

static bool is_nothing(clv_plan_time t)
{
    return t.ns == 0 && t.var_us2 == 0;
}

static clv_status check_device(const clv_plan_problem *p, size_t k, clv_error *err)
{
    const clv_plan_device *d = &p->devices[k];
    const field fields[] = {{"queue_ns", d->queue_ns, 0, CLV_PLAN_NS_MAX},
                            {"active_mw", d->active_mw, 0, CLV_PLAN_MW_MAX},
                            {"idle_mw", d->idle_mw, 0, CLV_PLAN_MW_MAX},
                            {"price_pm_per_s", d->price_pm_per_s, 0, CLV_PLAN_PRICE_MAX},
                            {"memory_bytes_max", d->memory_bytes_max, 0, CLV_PLAN_NO_LIMIT}};
    if (check_name("device", k, d->name, sizeof d->name, err) ||
        check_fields("device", k, fields, sizeof fields / sizeof *fields, err))
        return CLV_EINVAL;
    if (!d->prefix || !d->suffix)
        return clv_fail(err, CLV_EINVAL, "problem: device %zu '%s': no prefix or no suffix times",
                        k, d->name);
    if (check_times(p, k, "prefix", d->prefix, err) ||
        check_times(p, k, "suffix", d->suffix, err) ||
        (d->progress && check_times(p, k, "progress", d->progress, err)))
        return CLV_EINVAL;
    if (!is_nothing(d->prefix[0]) || !is_nothing(d->suffix[p->cuts->n - 1]))
        return clv_fail(err, CLV_EINVAL,
                        "problem: device %zu '%s': the first prefix and the last suffix must be 0",
                        k, d->name);
    for (size_t u = 0; d->unit_ns && u < p->graph->n_units; u++)
        if (d->unit_ns[u] < 0 || d->unit_ns[u] > CLV_PLAN_NS_MAX)
            return clv_fail(err, CLV_EINVAL,
                            "problem: device %zu '%s': unit_ns[%zu] is %" PRId64
                            ", must be within 0 and %" PRId64,
                            k, d->name, u, d->unit_ns[u], CLV_PLAN_NS_MAX);
    return CLV_OK;
}

static clv_status check_hop(const clv_plan_hop *h, size_t k, clv_error *err)
{
    if (!h->up) return CLV_OK;
    enum { PPM_MAX = 10000000 };
    const field fields[] = {{"up_ps_per_byte", h->up_ps_per_byte, 1, CLV_PLAN_PS_MAX},
                            {"down_ps_per_byte", h->down_ps_per_byte, 1, CLV_PLAN_PS_MAX},
                            {"rtt_ns", h->rtt_ns, 0, CLV_PLAN_NS_MAX},
                            {"rtt_var_us2", h->rtt_var_us2, 0, CLV_PLAN_VAR_MAX},
                            {"up_rel_ppm", h->up_rel_ppm, 0, PPM_MAX},
                            {"down_rel_ppm", h->down_rel_ppm, 0, PPM_MAX},
                            {"overhead_ns", h->overhead_ns, 0, CLV_PLAN_NS_MAX},
                            {"tx_mw", h->tx_mw, 0, CLV_PLAN_MW_MAX},
                            {"rx_mw", h->rx_mw, 0, CLV_PLAN_MW_MAX},
                            {"up_pj_per_byte", h->up_pj_per_byte, 0, CLV_PLAN_PS_MAX},
                            {"down_pj_per_byte", h->down_pj_per_byte, 0, CLV_PLAN_PS_MAX},
                            {"up_pm_per_byte", h->up_pm_per_byte, 0, CLV_PLAN_PRICE_MAX},
                            {"down_pm_per_byte", h->down_pm_per_byte, 0, CLV_PLAN_PRICE_MAX}};
    return check_fields("hop", k, fields, sizeof fields / sizeof *fields, err);
}

/* A codec's numbers of each cut; `unknown` is fine where it may be. All are looked at before the
 * one that is wrong is. */
static clv_status check_at_cuts(const clv_plan_problem *p, size_t codec, const char *name,
                                const int64_t *values, int64_t max, bool may_be_unknown,
                                clv_error *err)
{
    size_t n = p->cuts->n, i = 0;
    int64_t unknown = may_be_unknown ? CLV_PLAN_UNKNOWN : 0;
    bool wrong = false;
    for (size_t c = 0; c < n; c++)
        wrong |= (values[c] < 0) | ((values[c] > max) & (values[c] != unknown));
    if (!wrong) return CLV_OK;
    while (values[i] >= 0 && (values[i] <= max || values[i] == unknown)) i++;
    return clv_fail(err, CLV_EINVAL,
                    "problem: codec %zu '%s': %s[%zu] is %" PRId64 ", must be within 0 and %" PRId64
                    "%s",
                    codec, p->codecs[codec].name, name, i, values[i], max,
                    may_be_unknown ? ", or unknown" : "");
}

static clv_status check_codec_cuts(const clv_plan_problem *p, size_t k, clv_error *err)
{
    const clv_plan_codec *c = &p->codecs[k];
    if (k == 0 && (c->cut_bytes || c->cut_drop_ppm))
        return clv_fail(err, CLV_EINVAL,
                        "problem: codec 0 '%s' is raw: it has no bytes and no drop of its own",
                        c->name);
    if (c->cut_bytes &&
        check_at_cuts(p, k, "cut_bytes", c->cut_bytes, CLV_PLAN_BYTES_MAX, true, err))
        return CLV_EINVAL;
    if (!c->cut_drop_ppm) return CLV_OK;
    return check_at_cuts(p, k, "cut_drop_ppm", c->cut_drop_ppm, CLV_PLAN_DROP_MAX, false, err);
}

/* What a device takes to code a byte, in picoseconds. */
static clv_status check_coding(const char *name, size_t codec, int64_t ps, clv_error *err)
{
    const field f = {name, ps, 0, CLV_PLAN_PS_MAX};
    if (codec && ps == CLV_PLAN_UNKNOWN) return CLV_OK;
    return check_fields("codec", codec, &f, 1, err);
}

static clv_status check_codec(const clv_plan_problem *p, size_t k, clv_error *err)
{
    enum { KIB_MAX = 1 << 20 };
    const clv_plan_codec *c = &p->codecs[k];
    const field size = {"bytes_per_kib", c->bytes_per_kib, k ? 0 : 1024, k ? KIB_MAX : 1024};
    if (check_name("codec", k, c->name, sizeof c->name, err) ||
        check_fields("codec", k, &size, 1, err))
        return CLV_EINVAL;
    for (size_t d = 0; d < p->n_devices; d++)
        if (check_coding("encode_ps_per_byte", k, c->encode_ps_per_byte[d], err) ||
            check_coding("decode_ps_per_byte", k, c->decode_ps_per_byte[d], err))
            return CLV_EINVAL;
    return check_codec_cuts(p, k, err);
}

static clv_status check_objective(const clv_plan_objective *o, clv_error *err)
{
    if ((unsigned)o->goal >= CLV_GOAL_COUNT)
        return clv_fail(err, CLV_EINVAL, "problem: goal %d is not known", (int)o->goal);
    if (o->quantile_ppm && (o->quantile_ppm < 500000 || o->quantile_ppm > 999999))
        return clv_fail(err, CLV_EINVAL,
                        "problem: quantile_ppm is %d, must be 0 (the mean) or 500000 to 999999",
                        o->quantile_ppm);
    if (o->goal != CLV_GOAL_WEIGHTED) return CLV_OK;
    const field weights[] = {{"second_weight", o->second_weight, 0, CLV_PLAN_WEIGHT_MAX},
                             {"joule_weight", o->joule_weight, 0, CLV_PLAN_WEIGHT_MAX},
                             {"money_weight", o->money_weight, 0, CLV_PLAN_WEIGHT_MAX}};
    if (check_fields("objective", 0, weights, 3, err)) return CLV_EINVAL;
    if (!o->second_weight && !o->joule_weight && !o->money_weight)
        return clv_fail(
            err, CLV_EINVAL,
            "problem: the weighted sum has no weight: give seconds, joules or money one");
    return CLV_OK;
}

static clv_status check_limits(const clv_plan_problem *p, clv_error *err)
{
    const clv_plan_limits *l = &p->limits;
    const field fields[] = {{"deadline_ns", l->deadline_ns, 0, CLV_PLAN_NO_LIMIT},
                            {"energy_nj", l->energy_nj, 0, CLV_PLAN_NO_LIMIT},
                            {"price_pm", l->price_pm, 0, CLV_PLAN_NO_LIMIT},
                            {"drop_ppm", l->drop_ppm, 0, CLV_PLAN_NO_LIMIT}};
    if (check_fields("limits", 0, fields, sizeof fields / sizeof *fields, err)) return CLV_EINVAL;
    unsigned all = (1u << p->n_devices) - 1;
    for (size_t u = 0; l->unit_devices && u < p->graph->n_units; u++)
        if (!(l->unit_devices[u] & all))
            return clv_fail(err, CLV_EINVAL,
                            "problem: unit %zu '%s' may run on none of the %zu devices", u,
                            p->graph->units[u].name, p->n_devices);
    return CLV_OK;
}

clv_status clv_plan_problem_check(const clv_plan_problem *p, clv_error *err)
{
    if (check_cuts(p, err)) return CLV_EINVAL;
    if (p->n_devices < 2 || p->n_devices > CLV_PLAN_DEVICES_MAX)
        return clv_fail(err, CLV_EINVAL, "problem: %zu devices, must be 2 to %d", p->n_devices,
                        CLV_PLAN_DEVICES_MAX);
    if (!p->codecs || p->n_codecs < 1 || p->n_codecs > CLV_PLAN_CODECS_MAX)
        return clv_fail(err, CLV_EINVAL, "problem: %zu codecs, must be 1 to %d", p->n_codecs,
                        CLV_PLAN_CODECS_MAX);
    if (p->may_return && p->n_devices != 2)
        return clv_fail(err, CLV_EINVAL,
                        "problem: may_return is for two devices, the problem has %zu",
                        p->n_devices);
    for (size_t k = 0; k < p->n_devices; k++)
        if (check_device(p, k, err)) return CLV_EINVAL;
    for (size_t k = 0; k + 1 < p->n_devices; k++)
        if (check_hop(&p->hops[k], k, err)) return CLV_EINVAL;
    for (size_t k = 0; k < p->n_codecs; k++)
        if (check_codec(p, k, err)) return CLV_EINVAL;
    if (check_objective(&p->objective, err)) return CLV_EINVAL;
    return check_limits(p, err);
}
