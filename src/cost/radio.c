#include "cost/radio.h"

#include "base/mem.h"
#include "cost/quantity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Milliwatts for each Mbit/s, as joules for each byte. */
#define ALPHA(mw_per_mbit) ((mw_per_mbit)*1e-3 * 8 / 1e6)
#define RADIO(up, down, beta)                                                                      \
    {                                                                                              \
        .tx_w = (beta)*1e-3, .rx_w = (beta)*1e-3, .up_j_per_byte = ALPHA(up),                      \
        .down_j_per_byte = ALPHA(down), .source = CLV_POWER_GIVEN                                  \
    }
static const struct {
    const char *name;
    clv_radio radio;
} named[] = {
    {"wifi", RADIO(283.17, 137.01, 132.86)},
    {"lte", RADIO(438.39, 51.97, 1288.04)},
    {"3g", RADIO(868.98, 122.12, 817.88)},
};

enum { TX, RX, UP, DOWN, PRICE, UP_PRICE, DOWN_PRICE, WORDS };
static const clv_quantity words[WORDS] = {
    [TX] = {"tx", &clv_watts, CLV_POWER_W_MAX},
    [RX] = {"rx", &clv_watts, CLV_POWER_W_MAX},
    [UP] = {"up", &clv_joules_per_byte, CLV_RADIO_J_PER_BYTE_MAX},
    [DOWN] = {"down", &clv_joules_per_byte, CLV_RADIO_J_PER_BYTE_MAX},
    [PRICE] = {"price", &clv_price_per_byte, CLV_RADIO_PRICE_MAX},
    [UP_PRICE] = {"up-price", &clv_price_per_byte, CLV_RADIO_PRICE_MAX},
    [DOWN_PRICE] = {"down-price", &clv_price_per_byte, CLV_RADIO_PRICE_MAX},
};

/* A named radio at the start of the text, and where the words begin (NULL: there are none). */
static const char *take_name(const char *text, clv_radio *out)
{
    size_t n = strcspn(text, ",");
    for (size_t i = 0; i < CLV_COUNT(named); i++) {
        if (strlen(named[i].name) != n || strncmp(named[i].name, text, n) != 0) continue;
        double up = out->up_price_per_byte, down = out->down_price_per_byte;
        *out = named[i].radio;
        out->up_price_per_byte = up;
        out->down_price_per_byte = down;
        return text[n] ? text + n + 1 : NULL;
    }
    return text;
}

clv_status clv_radio_parse(const char *text, clv_radio *radio, clv_error *err)
{
    clv_radio r = *radio;
    double v[WORDS];
    const char *rest = take_name(text, &r);
    clv_status s = rest ? clv_quantities_parse("radio", rest, words, WORDS, v, err) : CLV_OK;
    if (s) return rest == text ? clv_within(err, "wifi, lte, 3g or words") : s;
    if (rest) {
        double *const to[WORDS] = {[TX] = &r.tx_w,
                                   [RX] = &r.rx_w,
                                   [UP] = &r.up_j_per_byte,
                                   [DOWN] = &r.down_j_per_byte,
                                   [UP_PRICE] = &r.up_price_per_byte,
                                   [DOWN_PRICE] = &r.down_price_per_byte};
        if (!isnan(v[PRICE])) r.up_price_per_byte = r.down_price_per_byte = v[PRICE];
        for (size_t i = 0; i < WORDS; i++) {
            if (!to[i] || isnan(v[i])) continue;
            *to[i] = v[i];
            if (i <= DOWN) r.source = CLV_POWER_GIVEN;
        }
    }
    *radio = r;
    return CLV_OK;
}

bool clv_radio_known(const clv_radio *r)
{
    return r->source != CLV_POWER_UNKNOWN;
}

clv_radio_text clv_radio_show(const clv_radio *r)
{
    clv_radio_text text = {"unknown"};
    char joules[64] = "";
    if (r->up_j_per_byte > 0 || r->down_j_per_byte > 0)
        snprintf(joules, sizeof joules, ", %.3g J/MB up, %.3g J/MB down", r->up_j_per_byte * 1e6,
                 r->down_j_per_byte * 1e6);
    if (clv_radio_known(r))
        snprintf(text.s, sizeof text.s, "%s up, %s down%.44s (%s)", clv_show_power(r->tx_w).s,
                 clv_show_power(r->rx_w).s, joules, clv_power_source_name(r->source));
    return text;
}
