#include "policy/hedge.h"

#include <math.h>

#define STEP       0.2
#define TAIL_FIRST 0.5 /* 1.6 times the prediction */
#define TAIL_MAX   3.0 /* twenty times */

void clv_hedge_init(clv_hedge *h)
{
    *h = (clv_hedge){.budget = CLV_HEDGE_BURST, .tail = TAIL_FIRST};
}

void clv_hedge_sent(clv_hedge *h)
{
    h->budget = fmin(h->budget + CLV_HEDGE_SHARE, CLV_HEDGE_BURST);
}

bool clv_hedge_take(clv_hedge *h)
{
    if (h->budget < 1) return false;
    h->budget -= 1;
    return true;
}

void clv_hedge_spared(clv_hedge *h)
{
    h->budget = fmin(h->budget + 1, CLV_HEDGE_BURST);
}

void clv_hedge_saw(clv_hedge *h, int64_t expected_us, int64_t took_us)
{
    if (expected_us <= 0 || took_us <= 0) return;
    double x = log((double)took_us / (double)expected_us);
    h->tail += STEP * (CLV_HEDGE_QUANTILE - (x <= h->tail));
    h->tail = fmin(fmax(h->tail, 0), TAIL_MAX);
}

/* The last moment, unless it has passed or the answer is due behind it and in time. */
static int64_t before_deadline(const clv_hedge_question *q)
{
    if (q->here_us <= 0) return INT64_MAX;
    int64_t last = q->deadline_us - (int64_t)(CLV_HEDGE_MARGIN * (double)q->here_us);
    int64_t due = q->expected_us > 0 ? q->sent_us + q->expected_us : q->sent_us;
    bool on_its_way = last < due && due <= q->deadline_us;
    return last < q->sent_us || on_its_way ? INT64_MAX : last;
}

bool clv_hedge_helps(const clv_hedge_question *q, int64_t now_us)
{
    return !q->deadline_us || now_us <= q->deadline_us - q->here_us;
}

int64_t clv_hedge_at_us(const clv_hedge *h, const clv_hedge_question *q)
{
    if (q->deadline_us) return before_deadline(q);
    if (q->expected_us <= 0) return INT64_MAX;
    double due = (double)q->expected_us;
    double far = fmax(CLV_HEDGE_FAR * exp(h->tail) * due, due + CLV_HEDGE_LEAST_US);
    return far < 1e15 ? q->sent_us + (int64_t)far : INT64_MAX;
}

int64_t clv_hedge_look_us(const clv_hedge_question *q, int64_t now_us)
{
    if (q->upload_us <= 0 || q->deadline_us) return INT64_MAX;
    double gone_us =
        fmax((double)(now_us - q->sent_us), (double)(q->upload_us + CLV_HEDGE_LEAST_US / 2));
    return q->sent_us + (int64_t)(CLV_HEDGE_LOOK * gone_us);
}

bool clv_hedge_stuck(const clv_hedge_question *q, const clv_hedge_progress *p, int64_t now_us)
{
    if (q->here_us <= 0 || p->gone_bytes >= p->bytes) return false;
    if (p->gone_bytes == 0) return true;
    double pace = (double)(now_us - q->sent_us) / (double)p->gone_bytes;
    double left_us =
        pace * (double)(p->bytes - p->gone_bytes) + (double)(q->expected_us - q->upload_us);
    return left_us > (double)q->here_us;
}
