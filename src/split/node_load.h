/* How busy a node is, as it tells its peers (GET /v2/load, docs/protocol.md): what an edge that
 * sends it nothing plans with.
 *
 *     clv_node_load load;
 *     if (clv_node_load_parse(text, n, &load, &err)) ...     // a node that tells nothing, or nonsense
 *     clv_wait_heard(&way->wait, now, (double)load.wait_us);
 *
 * Pure. Threads: any. Errors: CLV_EPROTO for what is no load; peers are not believed beyond CLV_NODE_LOAD_US_MAX.
 */
#ifndef CLV_SPLIT_NODE_LOAD_H
#define CLV_SPLIT_NODE_LOAD_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { CLV_NODE_LOAD_TEXT_MAX = 4096 };
#define CLV_NODE_LOAD_US_MAX 3600000000

typedef struct clv_node_load {
    int64_t queue;    /* requests that wait or run */
    int64_t ahead_us; /* what they will take, as far as it is known */
    int64_t wait_us;  /* 80 % quantile of what requests waited lately */
} clv_node_load;

CLV_MUST
clv_status clv_node_load_parse(const char *text, size_t n, clv_node_load *out, clv_error *err);

#endif
