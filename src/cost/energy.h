/* Joules and money of one request, from where its time went and what device and link take. Values.
 *
 *     clv_energy_rates rates = {.edge = edge_power, .radio = link.radio};      // zeros: not known
 *     clv_energy_use use = {.edge_us = 4000, .cloud_us = 900, .up_us = 12000, .up_bytes = 43264};
 *     double joules = clv_energy_j(&rates, &use).total_j;
 *
 * The same sum as the planner's (plan/problem.h), on measured times: a device takes its active power
 * while it computes, the radio its watts while bytes are on their way and its joules for each byte,
 * and the edge its idle power while others work on the request. What is not known adds nothing, so
 * with unknown watts of the cloud this is the energy of the edge: that of the battery.
 *
 * Source: Kang et al., "Neurosurgeon", ASPLOS 2017, has the same model for the edge. Ours also counts
 * the idle edge, the cloud and the bytes.
 */
#ifndef CLV_COST_ENERGY_H
#define CLV_COST_ENERGY_H

#include "cost/radio.h"

typedef struct clv_energy_rates {
    clv_power edge, cloud;
    double edge_price_per_s, cloud_price_per_s; /* of computing */
    clv_radio radio;
} clv_energy_rates;

/* Where the time of a request went, in microseconds, and its bytes on the wire. */
typedef struct clv_energy_use {
    double edge_us, cloud_us; /* computing, each with its coding of messages */
    double up_us, down_us;    /* on the link while bytes go up and come down */
    double idle_us;           /* the edge waits for anything else: round trip, the cloud's queue */
    double up_bytes, down_bytes;
} clv_energy_use;

typedef struct clv_energy {
    double edge_j, radio_j, cloud_j, total_j;
    double price;
} clv_energy;

clv_energy clv_energy_j(const clv_energy_rates *rates, const clv_energy_use *use);
/* Are there watts or joules at all? A sum without any is nothing to show. */
bool clv_energy_known(const clv_energy_rates *rates);
bool clv_energy_priced(const clv_energy_rates *rates);

#endif
