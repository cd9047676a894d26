/* What this machine takes at rest and while it runs a network, by its own energy counters.
 *
 *     clv_power_probe_options o = {.cores = 4};
 *     if (clv_power_probe(network, &o, &profile->power, &err)) ...   // CLV_EUNSUPPORTED: unknown here
 *
 * Some seconds of sleep, then some of the whole network, again and again, on one set of seeded
 * inputs. Anything else that the machine does meanwhile is measured along. The errors are those of
 * measure/rapl.h and of running the network. Threads: in the caller's.
 */
#ifndef CLV_MEASURE_POWER_PROBE_H
#define CLV_MEASURE_POWER_PROBE_H

#include "cost/power.h"
#include "repo/network.h"

#define CLV_POWER_PROBE_REST_US ((int64_t)2000000)
#define CLV_POWER_PROBE_WORK_US ((int64_t)3000000)

typedef struct clv_power_probe_options {
    const char *root;         /* of the powercap tree; NULL: Linux's */
    int64_t rest_us, work_us; /* 0: as above */
    int cores;                /* the threads that run the network */
} clv_power_probe_options;

CLV_MUST
clv_status clv_power_probe(clv_network *network, const clv_power_probe_options *options,
                           clv_power *out, clv_error *err);

#endif
