#include "split/patience.h"

int64_t clv_patience_until(const clv_patience_question *q)
{
    int64_t patience = q->patience_us ? q->patience_us : CLV_PATIENCE_DEFAULT_US;
    return q->now_us + patience + CLV_PATIENCE_SLACK * q->expected_us * (1 + q->others);
}
