/* In which codecs tensors may cross a link, from the command line: the options of every command that plans.
 *
 *     clv_offer_options offer = {0};
 *     const clv_opt_set sets[] = {..., CLV_OFFER_OPTS(&offer)};
 *     ...
 *     clv_offer_read(&offer, &sources.offer, &err);
 */
#ifndef CLV_CLI_OFFER_OPTIONS_H
#define CLV_CLI_OFFER_OPTIONS_H

#include "base/opt.h"
#include "plan/offer.h"
#include "plan/policies.h"

typedef struct clv_offer_options {
    const char *codecs; /* NULL: raw */
    double drop_points;
} clv_offer_options;

extern const clv_opt clv_offer_opts[];
extern const size_t clv_offer_opts_n;
#define CLV_OFFER_OPTS(target)                                                                     \
    {                                                                                              \
        clv_offer_opts, clv_offer_opts_n, (target)                                                 \
    }

/* Do the codecs that were named fit a policy that sends raw? CLV_EUSAGE: no. */
CLV_MUST
clv_status clv_offer_check(const clv_plan_offer *offer, clv_policy policy, clv_error *err);
/* CLV_EUSAGE names the flag and what is wrong with it. */
CLV_MUST
clv_status clv_offer_read(const clv_offer_options *o, clv_plan_offer *out, clv_error *err);

#endif
