/* What a peer says of its times, held against the exchange as this node has timed it: a peer is
 * believed no more than that its clock fits into ours. Pure. Private to split/.
 *
 *     clv_peer_times t = clv_peer_times_of(&answer.timing, reply->end_us - reply->start_us);
 *     if (t.fault) ...                  // its answer counts, its times teach nothing
 *
 * Times below 0 do not get here: they are no count of microseconds, and the answer is refused (split/oip.h).
 */
#ifndef CLV_SPLIT_PEER_TIMES_H
#define CLV_SPLIT_PEER_TIMES_H

#include "split/request.h"

/* Clocks are read at other places than bytes are counted. */
#define CLV_PEER_TIMES_GRACE_US 1000

typedef struct clv_peer_times {
    int64_t link_us, queue_us, cloud_us; /* add up to the exchange; 0 or more, whatever was said */
    const char *fault;                   /* why they are not believed; NULL: they are */
} clv_peer_times;

clv_peer_times clv_peer_times_of(const clv_timing *said, int64_t exchange_us);

#endif
