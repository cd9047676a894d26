/* What a link takes besides time: watts of the radio, joules and money for each byte. A value, part
 * of clv_link (cost/link.h).
 *
 *     clv_radio r = {0};
 *     clv_radio_parse("tx=1.2W,rx=0.9W,price=0.09/GB", &r, &err);
 *     clv_radio_parse("lte", &r, &err);                      // a named one
 *
 * Up is from the edge to the cloud. A radio takes `tx_w` while bytes go up and `rx_w` while they come
 * down (more than the device's idle power), and joules for each byte besides. All 0 with
 * source UNKNOWN: not known.
 *
 * The text is a named radio, words, or both, joined by commas; words win over what the name says:
 *   wifi, lte, 3g  a phone's radios, measured: P = beta + alpha * rate, so beta is tx and rx, and
 *                  alpha is joules for each byte
 *   tx=1.2W        while bytes go up                          W, mW, kW; a bare number is watts
 *   rx=0.9W        while bytes come down
 *   up=3.5J/MB     for each byte that goes up                 J/MB, J/GB, mJ/MB, mJ/kB, uJ/B, nJ/B
 *   down=0.4J/MB   for each byte that comes down
 *   price=0.09/GB  money for each byte, both ways; up-price, down-price for one   /MB, /GB, /TB
 *
 * Source of the named ones: Huang et al., "A Close Examination of Performance and Power
 * Characteristics of 4G LTE Networks", MobiSys 2012, Table 4 (alpha in mW per Mbit/s, beta in mW):
 * LTE 438.39 up, 51.97 down, 1288.04; 3G 868.98, 122.12, 817.88; WiFi 283.17, 137.01, 132.86. Not
 * from there: their tails (the radio stays on for seconds after a transfer) are left out.
 *
 * Threads: any. Errors name the word and its value.
 */
#ifndef CLV_COST_RADIO_H
#define CLV_COST_RADIO_H

#include "cost/power.h"

#define CLV_RADIO_J_PER_BYTE_MAX 1e-3 /* 1 kJ for a megabyte */
#define CLV_RADIO_PRICE_MAX      1e-4 /* money for a byte: 100 for a megabyte */

typedef struct clv_radio {
    double tx_w, rx_w;
    double up_j_per_byte, down_j_per_byte;
    double up_price_per_byte, down_price_per_byte;
    clv_power_source source; /* of watts and joules: GIVEN or UNKNOWN */
} clv_radio;

/* Changes what the text names and leaves the rest. CLV_EINVAL, and nothing is changed: an unknown,
 * repeated or negative word. */
CLV_MUST
clv_status clv_radio_parse(const char *text, clv_radio *radio, clv_error *err);
bool clv_radio_known(const clv_radio *r); /* watts or joules? */

typedef struct clv_radio_text {
    char s[CLV_POWER_TEXT_MAX];
} clv_radio_text;
/* For people: "1.20 W up, 900 mW down, 3.51 J/MB up, 0.416 J/MB down (given)"; "unknown". */
clv_radio_text clv_radio_show(const clv_radio *r);

#endif
