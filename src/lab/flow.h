/* Known traffic between two hosts of a lab, from within this process: transfers of known size and
 * pings, timed with one clock. For validating a lab, and for tests.
 */
#ifndef CLV_LAB_FLOW_H
#define CLV_LAB_FLOW_H

#include "lab/lab.h"

#define CLV_FLOW_SEGMENT_BYTES 1448 /* TCP payload of a full packet: MTU less IP, TCP, timestamp */
#define CLV_FLOW_HEADER_BYTES  52   /* IP 20, TCP 20, timestamp option 12 */

/* A TCP connection between two hosts; both ends are ours. */
typedef struct clv_flow {
    int ends[CLV_DIRECTIONS]; /* ends[CLV_UP] is at the host that opened it */
} clv_flow;

CLV_MUST
clv_status clv_flow_open(clv_lab *lab, size_t from, size_t to, clv_flow *out, clv_error *err);
void clv_flow_done(clv_flow *flow);

/* Send `bytes` in one direction and wait for an answer of one byte: an exchange as a request makes
 * it. `*took_us`: from the first byte written to the answer read. CLV_ETIMEOUT after `limit_us`. */
CLV_MUST
clv_status clv_flow_exchange(const clv_flow *flow, clv_direction d, size_t bytes, int64_t limit_us,
                             double *took_us, clv_error *err);
/* What a payload weighs on the wire, in full packets. */
size_t clv_flow_wire_bytes(size_t payload);

/* What pings measure: UDP datagrams of `payload` bytes from one host to another and back, one every
 * `gap_us`, all answered at once by this process. */
typedef struct clv_ping_options {
    size_t from, to, count, payload;
    int64_t gap_us;
    int64_t patience_us; /* how long to wait for the last */
} clv_ping_options;

typedef struct clv_ping_result {
    size_t sent, reached, returned; /* datagrams: sent, arrived there, and came back */
    double *rtt_us;                 /* of those that came back; heap, `returned` items */
} clv_ping_result;

CLV_MUST
clv_status clv_ping(clv_lab *lab, const clv_ping_options *o, clv_ping_result *out, clv_error *err);

#endif
