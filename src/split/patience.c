#include "split/patience.h"

#include "base/mem.h"

int64_t clv_patience_until(clv_patience *p, const clv_patience_question *q)
{
    int64_t patience = q->patience_us ? q->patience_us : CLV_PATIENCE_DEFAULT_US;
    int64_t due = q->now_us + patience + CLV_PATIENCE_SLACK * q->expected_us * (1 + q->others);
    if (q->others <= 0) { /* nobody to be fair to */
        atomic_store(&p->latest_us, due);
        return due;
    }
    int64_t latest = atomic_load(&p->latest_us);
    while (latest < due && !atomic_compare_exchange_weak(&p->latest_us, &latest, due)) continue;
    return CLV_MAX(due, latest);
}
