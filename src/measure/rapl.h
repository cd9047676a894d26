/* The processor's own energy counters (Running Average Power Limit), read from Linux's powercap tree.
 *
 *     clv_rapl rapl;
 *     if (clv_rapl_open(NULL, &rapl, &err) == CLV_OK) {      // CLV_EUNSUPPORTED: this machine has none
 *         clv_rapl_add(&rapl, &err);                         // now and then, so that no wrap is missed
 *         ... work ...
 *         clv_rapl_add(&rapl, &err);
 *         printf("%f J since it was opened\n", rapl.joules);
 *     }
 *
 * The tree has a folder for each domain: ROOT/intel-rapl:0 with the files `name` ("package-0"),
 * `energy_uj` (a counter) and `max_energy_range_uj` (where it wraps around). Packages are added up;
 * what is inside of them (intel-rapl:0:0, cores) is not counted twice. AMD's processors are there
 * under the same names. So it is the processor's power: memory, disks, radio and losses are not in it.
 *
 * Counters may be read by root only (CLV_EDENIED says so): `chmod a+r` them, or give the watts.
 * A package wraps around after some 260 kJ: an hour at 70 W.
 *
 * clv_rapl_power() measures both powers that a profile needs: some seconds at rest, then as long
 * with work. Threads: one at a time.
 *
 * Source: Linux, Documentation/power/powercap/powercap.rst.
 */
#ifndef CLV_MEASURE_RAPL_H
#define CLV_MEASURE_RAPL_H

#include "cost/power.h"

#define CLV_RAPL_ROOT "/sys/class/powercap"
enum { CLV_RAPL_PACKAGES_MAX = 16, CLV_RAPL_PATH_MAX = 256 };

typedef struct clv_rapl {
    char paths[CLV_RAPL_PACKAGES_MAX][CLV_RAPL_PATH_MAX]; /* of energy_uj */
    uint64_t range_uj[CLV_RAPL_PACKAGES_MAX], last_uj[CLV_RAPL_PACKAGES_MAX];
    size_t n;
    double joules; /* since it was opened, as of the last clv_rapl_add() */
} clv_rapl;

/* `root` NULL: CLV_RAPL_ROOT. CLV_EUNSUPPORTED: no package; CLV_EDENIED: they may not be read;
 * CLV_EPROTO: a file that is no counter. */
CLV_MUST
clv_status clv_rapl_open(const char *root, clv_rapl *out, clv_error *err);
CLV_MUST
clv_status clv_rapl_add(clv_rapl *r, clv_error *err);
/* From one value of a counter to the next, which may have wrapped around once. */
uint64_t clv_rapl_step_uj(uint64_t last_uj, uint64_t now_uj, uint64_t range_uj);

/* How to measure: `rest` sleeps a little, `work` computes a little, both again and again. */
typedef struct clv_rapl_plan {
    clv_status (*rest)(void *arg, clv_error *err);
    clv_status (*work)(void *arg, clv_error *err);
    int64_t (*now_us)(void *arg);
    void *arg;
    int64_t rest_us, work_us; /* for so long */
    int cores;                /* that the work keeps busy */
} clv_rapl_plan;
CLV_MUST
clv_status clv_rapl_power(clv_rapl *r, const clv_rapl_plan *plan, clv_power *out, clv_error *err);

#endif
