/* The edge's half of the demo: a node with a peer, measured. For each network: all local, all on the peer, the plan that the node
 * chose, and the cuts that the planner likes next, each as real requests; and the floor under them.
 */
#ifndef CLV_CLI_DEMO_EDGE_H
#define CLV_CLI_DEMO_EDGE_H

#include "cli/node.h"
#include "cost/link.h"

typedef struct clv_demo_row {
    char network[128], link[32], plan[128], best_cut[128];
    double p50_us;   /* of the plan that the node chose */
    double floor_us; /* bare engine time of its segments + bytes / rate + RTT */
    double
        wire_floor_us; /* the same with the bytes of TCP/IP's headers, which the rate of a link counts */
    double local_us, cloud_us, best_cut_us;
    double predicted_us;
    double regret; /* p50_us / best_cut_us - 1 */
    int rounds;
} clv_demo_row;

typedef struct clv_demo_edge {
    const clv_node_options *node;
    const clv_device_options *device;
    const clv_text_list *networks; /* empty: all of the repository */
    const char *link_name;
    const clv_link *link; /* nominal values for the floor; NULL: as measured */
    int64_t budget_us;    /* for measuring a row */
    void (*row)(
        void *arg,
        const clv_demo_row *row); /* called as each is done, on another thread than the caller's */
    void *arg;
} clv_demo_edge;

CLV_MUST
clv_status clv_demo_edge_run(const clv_demo_edge *demo, clv_error *err);

#endif
