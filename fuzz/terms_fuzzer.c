/* What a person states of a device, a link or a policy: any text either becomes values in their
 * ranges, or is refused with a reason and changes nothing. The first byte says what it is about. */
#include "base/mem.h"
#include "cost/link.h"
#include "graph/leakage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool sane(double x)
{
    return isfinite(x) && x >= 0;
}

static bool reads_link(const char *text, clv_error *err)
{
    clv_link l = {0};
    if (clv_link_parse(text, &l, err)) return false;
    if (l.up && !(l.up_bytes_per_s > 0 && l.down_bytes_per_s > 0)) abort();
    if (!sane(l.up_bytes_per_s) || !sane(l.down_bytes_per_s) || !sane(l.rtt_us)) abort();
    return true;
}

static bool reads_power(const char *text, clv_error *err)
{
    clv_power p = {.idle_w = 1, .active_w_per_core = 2, .cores = 2};
    double price = 3;
    if (clv_power_parse(text, 2, &p, &price, err)) {
        if (p.idle_w != 1 || p.active_w_per_core != 2 || p.cores != 2 || price != 3) abort();
        return false;
    }
    if (!sane(p.idle_w) || !sane(p.active_w_per_core) || !sane(price) || p.cores < 1) abort();
    return true;
}

static bool reads_radio(const char *text, clv_error *err)
{
    clv_radio r = {.tx_w = 1, .rx_w = 2};
    if (clv_radio_parse(text, &r, err)) {
        if (r.tx_w != 1 || r.rx_w != 2) abort();
        return false;
    }
    if (!sane(r.tx_w) || !sane(r.rx_w)) abort();
    if (!sane(r.up_j_per_byte) || r.up_j_per_byte > CLV_RADIO_J_PER_BYTE_MAX) abort();
    if (!sane(r.up_price_per_byte) || r.up_price_per_byte > CLV_RADIO_PRICE_MAX) abort();
    return true;
}

static bool reads_privacy(const char *text, clv_error *err)
{
    static clv_privacy p; /* large */
    memset(&p, 0, sizeof p);
    if (clv_privacy_parse(text, &p, err)) return false;
    if (p.classes < 0 || p.classes > CLV_LEAKAGE_COUNT || p.n_tensors > CLV_PRIVACY_TENSORS_MAX)
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool (*const readers[])(const char *, clv_error *) = {reads_link, reads_power,
                                                                 reads_radio, reads_privacy};
    if (size == 0) return 0;
    char *text = malloc(size);
    if (!text) return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    clv_error err = {0};
    if (!readers[data[0] % CLV_COUNT(readers)](text, &err) && !err.text[0]) abort();
    free(text);
    return 0;
}
