#include "cost/power.h"

#include "base/mem.h"
#include "cost/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const sources[] = {
#define X(name, text) text,
    CLV_POWER_SOURCE_MAP(X)
#undef X
};
_Static_assert(CLV_COUNT(sources) == CLV_POWER_SOURCE_COUNT, "a name for each source");

const char *clv_power_source_name(clv_power_source s)
{
    return sources[s];
}

int clv_power_source_parse(const char *text)
{
    for (int i = 0; i < CLV_POWER_SOURCE_COUNT; i++)
        if (strcmp(text, sources[i]) == 0) return i;
    return -1;
}

enum { IDLE, ACTIVE, CORE, PRICE, WORDS };
static const clv_quantity words[WORDS] = {
    [IDLE] = {"idle", &clv_watts, CLV_POWER_W_MAX},
    [ACTIVE] = {"active", &clv_watts, CLV_POWER_W_MAX},
    [CORE] = {"core", &clv_watts, CLV_POWER_W_MAX},
    [PRICE] = {"price", &clv_price_per_time, CLV_POWER_PRICE_MAX},
};

clv_status clv_power_parse(const char *text, int cores, clv_power *power, double *price_per_s,
                           clv_error *err)
{
    double v[WORDS];
    clv_status s = clv_quantities_parse("power", text, words, WORDS, v, err);
    if (s) return s;
    if (!isnan(v[ACTIVE]) && !isnan(v[CORE]))
        return clv_fail(err, CLV_EINVAL,
                        "power: 'active' and 'core' are both given, one is enough");
    clv_power p = *power;
    bool watts = !isnan(v[IDLE]) || !isnan(v[ACTIVE]) || !isnan(v[CORE]);
    if (watts) {
        p.source = CLV_POWER_GIVEN;
        p.cores = cores;
    }
    if (!isnan(v[IDLE])) p.idle_w = v[IDLE];
    if (!isnan(v[CORE])) p.active_w_per_core = v[CORE];
    if (!isnan(v[ACTIVE])) {
        if (v[ACTIVE] < p.idle_w)
            return clv_fail(err, CLV_EINVAL,
                            "power: active is %g W, less than idle, %g W; idle is part of it",
                            v[ACTIVE], p.idle_w);
        p.active_w_per_core = (v[ACTIVE] - p.idle_w) / cores;
    }
    if (clv_power_active_w(&p) > CLV_POWER_W_MAX)
        return clv_fail(err, CLV_EINVAL, "power: %g W on %d cores is absurd, at most %g W",
                        clv_power_active_w(&p), cores, CLV_POWER_W_MAX);
    *power = p;
    if (!isnan(v[PRICE])) *price_per_s = v[PRICE];
    return CLV_OK;
}

clv_power clv_power_measured(double idle_w, double active_w, int cores)
{
    return (clv_power){.idle_w = idle_w,
                       .active_w_per_core = CLV_MAX(active_w - idle_w, 0.0) / cores,
                       .cores = cores,
                       .source = CLV_POWER_RAPL};
}

double clv_power_active_w(const clv_power *p)
{
    return p->idle_w + p->active_w_per_core * p->cores;
}

bool clv_power_known(const clv_power *p)
{
    return p->source != CLV_POWER_UNKNOWN;
}

clv_power_text clv_power_show(const clv_power *p)
{
    clv_power_text text = {"unknown"};
    if (clv_power_known(p))
        snprintf(text.s, sizeof text.s, "idle %s, active %s on %d core%s (%s)",
                 clv_show_power(p->idle_w).s, clv_show_power(clv_power_active_w(p)).s, p->cores,
                 p->cores == 1 ? "" : "s", clv_power_source_name(p->source));
    return text;
}

int64_t clv_power_milli(double w)
{
    return llround(w * 1e3);
}

int64_t clv_power_pico(double value)
{
    return llround(value * 1e12);
}
