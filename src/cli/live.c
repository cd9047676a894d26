#include "cli/live.h"

#include "base/mem.h"
#include "base/stats.h"
#include "base/unit.h"

#include <math.h>
#include <string.h>

void clv_live_window_add(clv_live_window *w, double us)
{
    w->us[w->next] = us;
    w->next = (w->next + 1) % CLV_LIVE_WINDOW;
    if (w->n < CLV_LIVE_WINDOW) w->n++;
}

double clv_live_window_quantile(const clv_live_window *w, double q)
{
    double sorted[CLV_LIVE_WINDOW];
    memcpy(sorted, w->us, w->n * sizeof *sorted);
    return clv_quantile(sorted, w->n, q);
}

static void put_link(clv_buf *b, const clv_run_link *l)
{
    if (!l->up) {
        clv_buf_text(b, "link down | ");
        return;
    }
    bool alike = fabs(l->up_bytes_per_s / l->down_bytes_per_s - 1) < 0.1;
    clv_buf_text(b, clv_show_rate(l->up_bytes_per_s).s);
    if (l->up_sigma >= 0.005 && l->up_sigma < 10)
        clv_buf_printf(b, " \u00b1%.0f %%", 100 * l->up_sigma);
    if (!alike) clv_buf_printf(b, " up, %s down", clv_show_rate(l->down_bytes_per_s).s);
    clv_buf_printf(b, ", %s | ", clv_show_duration(l->rtt_us).s);
}

char *clv_live_line(const clv_live *l)
{
    clv_buf b = {0};
    const struct {
        int64_t n;
        const char *what;
    } events[] = {{l->failed, "FAILED"}, {l->recovered, "recovered"}, {l->hedged, "hedged"}};
    for (size_t i = 0; i < CLV_COUNT(events); i++)
        if (events[i].n) clv_buf_printf(&b, "%lld %s | ", (long long)events[i].n, events[i].what);
    if (l->peer) put_link(&b, &l->link);
    if (l->plan) clv_buf_text(&b, l->plan);
    if (l->more_plans) clv_buf_printf(&b, " and %zu more", l->more_plans);
    if (l->plan) clv_buf_text(&b, " | ");
    clv_buf_printf(&b, "%lld wait, %lld run", (long long)l->waiting, (long long)l->in_flight);
    if (l->p50_us > 0)
        clv_buf_printf(&b, " | p50 %s, p95 %s", clv_show_duration(l->p50_us).s,
                       clv_show_duration(l->p95_us).s);
    return clv_buf_take(&b);
}
