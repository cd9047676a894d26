/* The state of a link: rates up and down, round trip time, each with its uncertainty. A value.
 *
 *     clv_link link;
 *     clv_link_parse("5.85Mbit,60ms", &link, &err);           // a stated link is exact: sigmas 0
 *     double us = clv_link_exchange_us(&link, 43264, 4000);    // 124 ms
 *
 * Up is from the edge to the cloud. An estimate with sigmas is made by measure/link_monitor.h. */
#ifndef CLV_COST_LINK_H
#define CLV_COST_LINK_H

#include "cost/radio.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct clv_link {
    double up_bytes_per_s, down_bytes_per_s;
    double rtt_us;
    double up_sigma, down_sigma; /* relative standard deviation of the rates, 0: exact */
    double rtt_sigma_us;
    double unseen_us; /* since anything told of the rates; 0 for a stated link */
    bool up;          /* false: the peer cannot be reached */
    clv_radio radio;  /* joules and money; zeroed: not known. clv_link_parse() leaves it so */
} clv_link;

/* Named links, a table: cat1 0.13, 3g 1.1, lte 5.85, wifi 18.88 Mbit/s, lan 1 Gbit/s, RTT 100, 100,
 * 60, 5, 1 ms. Rates as in DADS (Hu et al., INFOCOM 2019), Table I; the round trip times are our
 * choice. */
typedef struct clv_link_preset {
    const char *name; /* what clv_link_parse() knows it by */
    double bytes_per_s;
    int64_t rtt_us;
} clv_link_preset;
extern const clv_link_preset clv_link_presets[];
extern const size_t clv_link_presets_n;

/* "wifi", "5.85Mbit,60ms", "5.85Mbit/20Mbit,60ms" (up/down), or "down" (no link). A rate of 0 is an
 * error. The error shows a right one. */
CLV_MUST
clv_status clv_link_parse(const char *text, clv_link *out, clv_error *err);
/* Time from the first byte sent to the last byte of the answer received, without any computing in
 * between: RTT + up/rate + down/rate. The link must be up (its rates above 0). */
double clv_link_exchange_us(const clv_link *link, size_t up_bytes, size_t down_bytes);

#endif
