#include "cost/link.h"

#include "base/mem.h"
#include "base/unit.h"

#include <string.h>

#define MBIT (1e6 / 8)

const clv_link_preset clv_link_presets[] = {
    {"cat1", 0.13 * MBIT, 100000}, {"3g", 1.1 * MBIT, 100000}, {"lte", 5.85 * MBIT, 60000},
    {"wifi", 18.88 * MBIT, 5000},  {"lan", 1000 * MBIT, 1000},
};
const size_t clv_link_presets_n = CLV_COUNT(clv_link_presets);

#define LINK_FORMS                                                                                 \
    "a link is cat1, 3g, lte, wifi, lan, down, or RATE,RTT such as '5.85Mbit,60ms' or "            \
    "'5.85Mbit/20Mbit,60ms' (up/down)"

static bool preset(const char *text, clv_link *out)
{
    if (strcmp(text, "down") == 0) {
        *out = (clv_link){0};
        return true;
    }
    for (size_t i = 0; i < clv_link_presets_n; i++) {
        const clv_link_preset *p = &clv_link_presets[i];
        if (strcmp(text, p->name) != 0) continue;
        *out = (clv_link){.up_bytes_per_s = p->bytes_per_s,
                          .down_bytes_per_s = p->bytes_per_s,
                          .rtt_us = (double)p->rtt_us,
                          .up = true};
        return true;
    }
    return false;
}

/* The slash between two rates, not the one of "Mbit/s": a number follows it. NULL: one rate. */
static char *rate_slash(char *text)
{
    for (char *p = text; *p; p++)
        if (*p == '/' && ((p[1] >= '0' && p[1] <= '9') || p[1] == '.')) return p;
    return NULL;
}

static clv_status parse_positive_rate(const char *text, double *rate, clv_error *err)
{
    clv_status s = clv_parse_rate(text, rate, err);
    if (s == CLV_OK && *rate <= 0)
        s = clv_fail(err, CLV_EINVAL, "rate '%s': must be above 0", text);
    return s;
}

clv_status clv_link_parse(const char *text, clv_link *out, clv_error *err)
{
    if (preset(text, out)) return CLV_OK;
    const char *comma = strchr(text, ',');
    if (!comma) return clv_fail(err, CLV_EINVAL, "link '%.100s': " LINK_FORMS, text);
    CLV_AUTO(clv_text_free) char *up = clv_strndup(text, (size_t)(comma - text));
    const char *down = up;
    char *slash = rate_slash(up);
    if (slash) {
        *slash = 0;
        down = slash + 1;
    }
    clv_link link = {.up = true};
    int64_t rtt_us = 0;
    clv_error why = {0};
    if (parse_positive_rate(up, &link.up_bytes_per_s, &why) ||
        parse_positive_rate(down, &link.down_bytes_per_s, &why) ||
        clv_parse_duration(comma + 1, &rtt_us, &why))
        return clv_fail(err, CLV_EINVAL, "link '%.100s': %s; " LINK_FORMS, text, why.text);
    link.rtt_us = (double)rtt_us;
    *out = link;
    return CLV_OK;
}

double clv_link_exchange_us(const clv_link *link, size_t up_bytes, size_t down_bytes)
{
    return link->rtt_us + (double)up_bytes * 1e6 / link->up_bytes_per_s +
           (double)down_bytes * 1e6 / link->down_bytes_per_s;
}
