/* The devices and links of a plan, from the command line: profiles or calibrations in a row, links between them, what
 * they take and what one waits for.
 *
 *     clv_plan_devices_options o; ... CLV_PLAN_DEVICES_OPTS(&o) ...
 *     clv_plan_devices d;
 *     clv_plan_devices_open(&o, &located, &d, &err);
 *     clv_plan_solve(&d.tables->problem, &plan, &err);
 *     clv_plan_devices_close(&d);
 *
 * --edge and --cloud are two devices of these names; --device names one after its file, or as
 * NAME=FILE says. Link k lies between devices k and k + 1.
 */
#ifndef CLV_CLI_PLAN_DEVICES_H
#define CLV_CLI_PLAN_DEVICES_H

#include "base/opt.h"
#include "cli/offer_options.h"
#include "cli/plan_files.h"
#include "plan/tables.h"

typedef struct clv_plan_devices_options {
    const char *edge, *cloud;
    clv_text_list devices, links, powers, radios, queues;
    int64_t overhead_us;
    clv_offer_options offer; /* its own table: CLV_OFFER_OPTS() */
} clv_plan_devices_options;
extern const clv_opt clv_plan_devices_opts[];
extern const size_t clv_plan_devices_opts_n;
#define CLV_PLAN_DEVICES_OPTS(target)                                                              \
    {                                                                                              \
        clv_plan_devices_opts, clv_plan_devices_opts_n, (target)                                   \
    }

typedef struct clv_plan_devices { /* owns all */
    clv_plan_files files;
    clv_plan_tables *tables;
    double tables_us; /* what making the tables took */
} clv_plan_devices;

/* `model` is the network's file, for calibrations (cli/plan_files.h). CLV_EUSAGE: options that are
 * missing, of the wrong number, or about no device. */
CLV_MUST
clv_status clv_plan_devices_open(const clv_plan_devices_options *o, const clv_located *model,
                                 clv_plan_devices *out, clv_error *err);
void clv_plan_devices_close(clv_plan_devices *d);

/* The place of a device that is known by name or number (the first is 0). CLV_EUSAGE: there is none;
 * the error lists them. */
CLV_MUST
clv_status clv_plan_device_find(const clv_plan_problem *p, const char *name, size_t *out,
                                clv_error *err);
/* Splits "NAME=VALUE" at its last '='; both heap. CLV_EUSAGE: `text` is none; `form` says what is. */
CLV_MUST
clv_status clv_plan_split_pair(const char *flag, const char *text, const char *form, char **name,
                               char **value, clv_error *err);

#endif
