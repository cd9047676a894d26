#include "base/clock.h"
#include "base/log.h"
#include "engine/pages.h"
#include "serve/served.h"

void clv_served_warm_up(clv_served *m)
{
    int64_t start = clv_now_us();
    clv_segment *whole = clv_network_resident(m->network, 0, clv_network_cuts(m->network)->n - 1);
    if (!whole) return;
    clv_segment_warm_up(whole);
    clv_segment_unref(whole);
    size_t bytes = clv_pages_enlarge();
    clv_log(CLV_LOG_DEBUG, "serve", "warmed up", "model=%s huge_page_bytes=%zu warm_up_ms=%lld",
            m->name, bytes, (long long)(clv_now_us() - start) / 1000);
}
