/* The relay: carries packets between pairs of ports, each direction through a shape.
 *
 *     clv_relay *r = clv_relay_new(seed);
 *     clv_relay_add(r, edge_port, cloud_port, &up, &down);     // takes the ports
 *     for (;;) {
 *         int64_t due_ns = clv_relay_deliver(r, clv_now_ns()); // hand out what is due
 *         ppoll(fds of clv_relay_port(), until due_ns);
 *         clv_relay_receive(r, i, clv_now_ns());               // take in what hosts sent
 *     }
 *
 * Nothing blocks and nothing spins: between packets the process sleeps until the next one is due
 * (set the timer slack to 1 ns, or the kernel adds 50 µs). A packet's clock starts when it is read.
 * Only IPv4 passes; what else a kernel sends out of a new interface is left out silently.
 *
 * Threads: one. Memory: what is on its way, at most CLV_RELAY_BYTES_MAX a direction; what exceeds
 * that counts as dropped.
 */
#ifndef CLV_LAB_RELAY_H
#define CLV_LAB_RELAY_H

#include "lab/port.h"
#include "lab/shape.h"

#define CLV_RELAY_LINKS_MAX 16
#define CLV_RELAY_BYTES_MAX ((size_t)256 << 20)

/* Up is from the first port of a link to the second. */
typedef enum clv_direction { CLV_UP, CLV_DOWN, CLV_DIRECTIONS } clv_direction;

/* What happened in one direction so far. `late` is how much after its time a packet was handed over:
 * the error of the relay itself. */
typedef struct clv_relay_counts {
    int64_t packets, bytes; /* delivered, as on the wire */
    int64_t lost, dropped;  /* packets lost on the air; over the queue or refused by a host */
    int64_t frames;         /* delivered buffers; fewer than packets where GSO is on */
    int64_t late_ns_sum, late_ns_max;
} clv_relay_counts;

typedef struct clv_relay clv_relay;

clv_relay *clv_relay_new(uint64_t seed);
void clv_relay_free(clv_relay *r); /* closes the ports */

/* Join two ports; takes both. At most CLV_RELAY_LINKS_MAX (the caller checks). Values must have
 * passed clv_shape_check(). Returns the link's number. */
size_t clv_relay_add(clv_relay *r, clv_port from, clv_port to, const clv_shape_values *up,
                     const clv_shape_values *down);
/* New values from now on, also for what waits: see clv_shape_set(). */
void clv_relay_set(clv_relay *r, size_t link, clv_direction d, const clv_shape_values *values,
                   int64_t now_ns);
const clv_shape_values *clv_relay_values(const clv_relay *r, size_t link, clv_direction d);
const clv_relay_counts *clv_relay_count(const clv_relay *r, size_t link, clv_direction d);

/* The descriptor of port i: 2 · link for the first end, 2 · link + 1 for the second. */
int clv_relay_port(const clv_relay *r, size_t i);
/* Hand over all packets that are due. Returns when the next one is, INT64_MAX: none waits. */
int64_t clv_relay_deliver(clv_relay *r, int64_t now_ns);
/* Read what port i holds, at most a batch, so that deliveries stay in time. */
CLV_MUST
clv_status clv_relay_receive(clv_relay *r, size_t i, int64_t now_ns, clv_error *err);

#endif
