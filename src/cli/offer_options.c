#include "cli/offer_options.h"

#include "base/mem.h"

const clv_opt clv_offer_opts[] = {
    CLV_OPT(clv_offer_options, codecs, TEXT, "codecs", "auto", .arg = "LIST",
            .help = "how tensors may be written for a link: auto, raw, or names: f16,q8+zstd"),
    CLV_OPT(clv_offer_options, drop_points, REAL, "accuracy-drop", "0.1", .arg = "POINTS",
            .max = CLV_OFFER_DROP_MAX,
            .help = "percentage points of accuracy that codecs may cost in all; 100: any"),
};
const size_t clv_offer_opts_n = CLV_COUNT(clv_offer_opts);

clv_status clv_offer_read(const clv_offer_options *o, clv_plan_offer *out, clv_error *err)
{
    clv_error why = {0};
    if (!o->codecs) {
        *out = (clv_plan_offer){0};
        return CLV_OK;
    }
    if (clv_plan_offer_parse(o->codecs, o->drop_points, out, &why))
        return clv_fail(err, CLV_EUSAGE, "--codecs: %s", why.text);
    return CLV_OK;
}

clv_status clv_offer_check(const clv_plan_offer *offer, clv_policy policy, clv_error *err)
{
    bool codes = policy == CLV_POLICY_EXACT || policy == CLV_POLICY_GREEDY;
    if (codes || !(offer->named >> 1)) return CLV_OK;
    return clv_fail(err, CLV_EUSAGE,
                    "--codecs: --policy %s sends tensors raw; exact and greedy choose codecs",
                    clv_policy_name(policy));
}
