#include "cost/energy.h"

clv_energy clv_energy_j(const clv_energy_rates *r, const clv_energy_use *u)
{
    double waits_us = u->cloud_us + u->up_us + u->down_us + u->idle_us;
    clv_energy e = {
        .edge_j = (clv_power_active_w(&r->edge) * u->edge_us + r->edge.idle_w * waits_us) * 1e-6,
        .radio_j = (r->radio.tx_w * u->up_us + r->radio.rx_w * u->down_us) * 1e-6 +
                   r->radio.up_j_per_byte * u->up_bytes + r->radio.down_j_per_byte * u->down_bytes,
        .cloud_j = clv_power_active_w(&r->cloud) * u->cloud_us * 1e-6,
        .price = (r->edge_price_per_s * u->edge_us + r->cloud_price_per_s * u->cloud_us) * 1e-6 +
                 r->radio.up_price_per_byte * u->up_bytes +
                 r->radio.down_price_per_byte * u->down_bytes,
    };
    e.total_j = e.edge_j + e.radio_j + e.cloud_j;
    return e;
}

bool clv_energy_known(const clv_energy_rates *r)
{
    return clv_power_known(&r->edge) || clv_power_known(&r->cloud) || clv_radio_known(&r->radio);
}

bool clv_energy_priced(const clv_energy_rates *r)
{
    return r->edge_price_per_s > 0 || r->cloud_price_per_s > 0 || r->radio.up_price_per_byte > 0 ||
           r->radio.down_price_per_byte > 0;
}
