/* Is the emulation right? Transfers of known size and pings through a lab, against what the links'
 * numbers promise.
 *
 * Transfers: a warm TCP connection in each direction, `bytes` sent, one byte answered. Promised:
 * wire bytes / rate + round trip, where the wire bytes count the IP and TCP headers of full packets.
 * Pings: UDP there and back. Promised: round trip + twice the packet's time on the wire. What is
 * above that is the relay, the kernels' paths and the waking of this process; `loopback_us` is what
 * the same ping takes without any link, so (measured - promised - loopback) / 2 is what the relay
 * itself adds to a direction.
 */
#ifndef CLV_LAB_VALIDATE_H
#define CLV_LAB_VALIDATE_H

#include "lab/flow.h"

typedef struct clv_validate_transfer {
    const char *link; /* preset's name, constant */
    clv_direction direction;
    size_t payload_bytes, wire_bytes;
    double promised_us, measured_us; /* median of the repetitions */
    double error;                    /* measured / promised - 1 */
    double late_us_mean;             /* of the relay: handed over after its time */
    double keeper_cpu;               /* processor time of the relay process / wall time */
} clv_validate_transfer;

typedef struct clv_validate_ping {
    const char *link;
    double promised_us, p50_us, p99_us, loopback_us;
    double extra_us; /* a direction: see above */
} clv_validate_ping;

typedef struct clv_validate_loss {
    double asked, measured, sigma; /* sigma: of the binomial distribution at `packets` */
    size_t packets;
} clv_validate_loss;

#define CLV_VALIDATE_LINKS_MAX 16

typedef struct clv_validation {
    clv_validate_transfer transfers[CLV_DIRECTIONS * CLV_VALIDATE_LINKS_MAX];
    clv_validate_ping pings[CLV_VALIDATE_LINKS_MAX];
    size_t n_transfers, n_pings;
    clv_validate_loss loss;
    double worst_error; /* the largest |error| of a transfer */
} clv_validation;

typedef struct clv_validate_options {
    const char *only;   /* one preset, or NULL: all */
    int64_t seconds_us; /* of each transfer at the link's rate */
    size_t repeats;
    /* Told before each step; may be NULL. */
    void (*progress)(void *data, size_t done, size_t total, const char *what);
    void *data;
} clv_validate_options;

/* Runs a minute or so with the presets and one second. `lab`: at least two hosts and the link between
 * them; its values are changed. */
CLV_MUST
clv_status clv_lab_validate(clv_lab *lab, const clv_validate_options *o, clv_validation *out,
                            clv_error *err);

#endif
