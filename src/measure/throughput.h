/* What a connection carried while it was never idle: the rate of a link, told by TCP's own
 * counters. Values in, values out.
 *
 *     clv_throughput f = {0};
 *     clv_throughput_carried got = clv_throughput_look(&f, now_us, &(clv_throughput_counters){…}); // ten times a second, while anything is under way
 *     if (got.us > 0) clv_link_monitor_carried(&monitor, now_us, got.bytes, got.us);
 *
 * The time of an exchange tells the rate only when it has ended, and only if no other exchange
 * shared the link. The kernel counts the packets that have arrived, in whatever order, and the
 * time in which any were on their way (TCP_INFO: tcpi_delivered, tcpi_busy_time; Linux 4.18). A
 * window counts if the connection was busy all of it and its path was full at both ends: the
 * smoothed round trip above the least one, as a queue had formed (after BBR: Cardwell et al., ACM
 * Queue 2016). Then bytes / time is what the link carries, whoever sent them; else it would only
 * be what was asked for, or what a young congestion window allowed. A connection counts as busy until
 * all is acknowledged, a round trip longer than its link is: who sends and knows that there was
 * nothing to send says so (`idle_us`), and a window counts only from then on.
 *
 * A window is CLV_THROUGHPUT_LEAST_US long and CLV_THROUGHPUT_LEAST_BYTES large at least, or
 * CLV_THROUGHPUT_MOST_US long: acknowledgements come in lumps of some packets. In one in which
 * nothing arrived the link stalls, which is not a rate: nothing is said.
 *
 * Threads: one at a time. */
#ifndef CLV_MEASURE_THROUGHPUT_H
#define CLV_MEASURE_THROUGHPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLV_THROUGHPUT_LEAST_US    150000
#define CLV_THROUGHPUT_MOST_US     1000000
#define CLV_THROUGHPUT_LEAST_BYTES 49152

/* Of one connection since it was opened; 0: not known. */
typedef struct clv_throughput_counters {
    uint64_t delivered_bytes;
    int64_t busy_us;
    double rtt_us, min_rtt_us; /* smoothed; the least */
    int64_t idle_us; /* when there was last nothing to send, by who sends (measure/link_turns.h) */
} clv_throughput_counters;

/* A window, as it began; zeroed: none has. */
typedef struct clv_throughput {
    int64_t at_us, busy_us;
    uint64_t delivered_bytes;
    bool open, busy; /* a window has begun; the last look found that it was never idle */
    int64_t from_us,
        to_us; /* of the last stretch of windows without an idle time between; 0: none */
} clv_throughput;

typedef struct clv_throughput_carried {
    size_t bytes;
    double us; /* 0: nothing can be said now */
} clv_throughput_carried;

clv_throughput_carried clv_throughput_look(clv_throughput *t, int64_t now_us,
                                           const clv_throughput_counters *c);

#endif
