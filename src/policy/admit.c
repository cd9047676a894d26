#include "policy/admit.h"

#include "base/mem.h"

static double ms(int64_t us)
{
    return (double)us / 1000;
}

clv_status clv_admit(const clv_admit_question *q, const char *what, clv_error *err)
{
    if (!q->deadline_us) return CLV_OK;
    int64_t left = q->deadline_us - q->now_us, ahead = CLV_MAX(q->ahead_us, 0),
            run = CLV_MAX(q->run_us, 0);
    if (left <= 0)
        return clv_fail(err, CLV_ETIMEOUT, "%s: the deadline passed %.3f ms ago", what, ms(-left));
    if (run > left)
        return clv_fail(err, CLV_ETIMEOUT,
                        "%s: it takes about %.3f ms and its deadline is in %.3f ms", what, ms(run),
                        ms(left));
    if (ahead > left - run)
        return clv_fail(err, CLV_EBUSY,
                        "%s: %.3f ms of work are ahead of it, it takes about %.3f ms, and its "
                        "deadline is in %.3f ms",
                        what, ms(ahead), ms(run), ms(left));
    return CLV_OK;
}
