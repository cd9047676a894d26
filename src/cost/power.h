/* What a device takes while it waits and while it computes: watts and money. A value.
 *
 *     clv_power p = {0};
 *     clv_power_parse("idle=2W,active=7W,price=0.53/h", 4, &p, &err); // 4 cores compute together
 *     double joules = clv_power_active_w(&p) * seconds;               // 7 W: of the whole device
 *     puts(clv_power_show(&p).s);                   // "idle 2.00 W, active 7.00 W on 4 cores (given)"
 *
 * Watts are of the whole device, at its battery or plug: `idle_w` while it waits, and more for each
 * core that computes. They are given, or measured with the processor's counters (measure/rapl.h),
 * which see its package only: no screen, no radio, no losses. Unknown is 0 with source UNKNOWN; an
 * energy that was made without them says so.
 *
 * The text is words joined by commas, each once, in any order:
 *   idle=2W      while it waits                              W, mW, kW; a bare number is watts
 *   active=7W    while all its cores compute (of a network's segment), idle included
 *   core=1.25W   instead of active: more for each core that computes
 *   price=0.5/h  money for the time that it computes, in any currency   /s, /min, /h, /day
 *
 * Threads: any. Errors name the word and its value.
 */
#ifndef CLV_COST_POWER_H
#define CLV_COST_POWER_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define CLV_POWER_W_MAX     1e5 /* 100 kW: no device here takes more */
#define CLV_POWER_PRICE_MAX 1.0 /* money for a second */
enum { CLV_POWER_CORES_MAX = 65536, CLV_POWER_TEXT_MAX = 192 };

#define CLV_POWER_SOURCE_MAP(X)                                                                    \
    X(UNKNOWN, "unknown")                                                                          \
    X(GIVEN, "given")                                                                              \
    X(RAPL, "rapl")
typedef enum clv_power_source {
#define X(name, text) CLV_POWER_##name,
    CLV_POWER_SOURCE_MAP(X)
#undef X
        CLV_POWER_SOURCE_COUNT
} clv_power_source;
const char *clv_power_source_name(clv_power_source s);
int clv_power_source_parse(const char *text); /* -1: none of that name */

typedef struct clv_power {
    double idle_w, active_w_per_core;
    int cores;               /* that compute together: the threads of the profile */
    clv_power_source source; /* of the watts */
} clv_power;

/* Changes what the text names and leaves the rest: watts in *power, money for a second in
 * *price_per_s. `cores` (1 or more) are those that compute together. CLV_EINVAL, and nothing is
 * changed: an unknown, repeated or negative word, active below idle, active with core. */
CLV_MUST
clv_status clv_power_parse(const char *text, int cores, clv_power *power, double *price_per_s,
                           clv_error *err);
/* From two measurements of the whole device; an active power below the idle one counts as equal. */
clv_power clv_power_measured(double idle_w, double active_w, int cores);
double clv_power_active_w(const clv_power *p); /* of the whole device while it computes */
bool clv_power_known(const clv_power *p);

typedef struct clv_power_text {
    char s[CLV_POWER_TEXT_MAX];
} clv_power_text;
clv_power_text clv_power_show(const clv_power *p); /* for people: "unknown" */

/* For integer planners: watts in milliwatts; joules, or money, in 10^-12 of it. Rounded. */
int64_t clv_power_milli(double w);
int64_t clv_power_pico(double value);

#endif
