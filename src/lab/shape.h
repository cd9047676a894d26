/* One direction of an emulated link, as a value: when does a packet that starts now arrive?
 *
 * The model is a wire behind a bounded queue. A packet waits until the wire is free, occupies it for
 * wire_bytes / rate, then travels for delay ± jitter. Packets keep their order. A packet that finds
 * the queue full is dropped (tail drop); a packet that is lost on the air has still used the wire.
 *
 *     clv_shaper s;
 *     clv_shape_init(&s, &(clv_shape_values){.rate_bytes_per_s = 2.36e6, .delay_us = 2500}, seed);
 *     clv_shape_packet p = {.wire_bytes = 1500, .wire_packets = 1};
 *     if (clv_shape_push(&s, now_ns, &p) == CLV_SHAPE_PASS) deliver it at p.deliver_ns;
 *
 * Nothing here reads a clock or holds packets: the relay passes the time in, keeps the packets and
 * hands them out. The rate counts IP packets: header and payload, nothing below (no Ethernet, no
 * Wi-Fi frames). A full TCP segment of 1500 bytes carries 1448 bytes of payload, so a transfer
 * reaches 96.5 % of the rate.
 *
 * Times are in nanoseconds here, unlike elsewhere: a packet takes 12 µs at 1 Gbit/s, an
 * acknowledgement 0.4 µs, and rounding each of them to µs would bend the rate. Threads: none of its
 * own; one thread at a time. Sizes: rates of 1 byte/s to 1e12, delays up to CLV_SHAPE_DELAY_US_MAX.
 */
#ifndef CLV_LAB_SHAPE_H
#define CLV_LAB_SHAPE_H

#include "base/rng.h"
#include "base/status.h"

#include <stdint.h>

#define CLV_SHAPE_DELAY_US_MAX INT64_C(600000000) /* ten minutes, one way */
#define CLV_SHAPE_QUEUE_MAX    (INT64_C(64) << 20)

typedef struct clv_shape_values {
    double rate_bytes_per_s; /* 0: the wire takes no time, and no queue forms */
    int64_t delay_us;        /* one way */
    int64_t jitter_us;       /* each packet's delay is uniform in delay ± jitter, never below 0 */
    double loss;             /* probability that a packet is lost, 0 to 1 */
    int64_t queue_bytes;     /* waiting for the wire, at most; 0: clv_shape_queue_default() */
} clv_shape_values;

typedef enum clv_shape_verdict { CLV_SHAPE_PASS, CLV_SHAPE_LOST, CLV_SHAPE_FULL } clv_shape_verdict;

/* One packet on its way. A GSO packet (one buffer that stands for several packets of the wire) is
 * charged as what it stands for: all headers, and the loss of each. */
typedef struct clv_shape_packet {
    int64_t wire_bytes;
    int64_t wire_packets; /* ≥ 1 */
    int64_t sent_ns;      /* out: its last bit has left */
    int64_t deliver_ns;   /* out: its last bit has arrived */
} clv_shape_packet;

typedef struct clv_shaper {
    clv_shape_values values;
    clv_rng rng;
    double busy_ns;          /* the wire is free from here on; fractions kept, so none is lost */
    int64_t last_deliver_ns; /* of the packet before: order is kept */
} clv_shaper;

/* What a change does to the packets that wait: see clv_shape_reschedule(). */
typedef struct clv_shape_change {
    int64_t now_ns;
    double stretch; /* time still to wait for the wire, new : old */
} clv_shape_change;

/* max(2 · rate · round trip, 32 packets of 1500 bytes, min(100 ms · rate, 256 KiB)): twice the
 * bandwidth-delay product, as a TCP flow alone wants to fill the link; slow links get the few
 * packets that any modem holds, fast ones what a cheap access point holds (wifi 100 ms, lan 2 ms).
 * `delay_us` is one way. */
int64_t clv_shape_queue_default(double rate_bytes_per_s, int64_t delay_us);

/* CLV_EINVAL names the value that is out of range. */
CLV_MUST
clv_status clv_shape_check(const clv_shape_values *values, clv_error *err);

/* `values` must have passed clv_shape_check(). The same seed and packets give the same fate. */
void clv_shape_init(clv_shaper *s, const clv_shape_values *values, uint64_t seed);

/* Offer a packet. PASS sets sent_ns and deliver_ns; LOST has used the wire, FULL has not. `now_ns`
 * never goes back. */
clv_shape_verdict clv_shape_push(clv_shaper *s, int64_t now_ns, clv_shape_packet *p);

/* New values from now on. What is on its way (last bit sent) arrives as promised. What still waits
 * for the wire goes out at the new rate: the caller runs it, and everything else it holds, through
 * clv_shape_reschedule() in the order of the queue. */
clv_shape_change clv_shape_set(clv_shaper *s, int64_t now_ns, const clv_shape_values *values);
void clv_shape_reschedule(clv_shaper *s, const clv_shape_change *change, clv_shape_packet *p);

/* Bytes that wait for the wire now. */
int64_t clv_shape_backlog_bytes(const clv_shaper *s, int64_t now_ns);

#endif
