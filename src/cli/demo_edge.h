/* The edge's half of the demo: a node with a peer, measured. For each network: all local, all on
 * the peer, the plan that the node chose, the cuts that the planner likes next, and (asked for)
 * those that each policy would choose; each as real requests.
 */
#ifndef CLV_CLI_DEMO_EDGE_H
#define CLV_CLI_DEMO_EDGE_H

#include "cli/node.h"
#include "cost/link.h"
#include "plan/policies.h"

enum { CLV_DEMO_CONTENDERS_MAX = 24, CLV_DEMO_CHOICES_MAX = CLV_POLICY_COUNT + 1 };

/* A cut that was measured. */
typedef struct clv_demo_contender {
    char label[128]; /* "local", "remote" or the cut's */
    double predicted_us;
    double p50_us, sigma_us; /* median of n requests; 1.4826 times their median deviation from it */
    double fps;              /* under load: the median of n windows, and sigma of them; else 0 */
    double fps_sigma;
    double energy_j; /* mean of its requests, by measured times and given watts; 0: not known */
    int n;           /* 0: so much worse by prediction that it was not measured */
    bool rival;      /* measured in every round, not only in the first */
} clv_demo_contender;

/* Who chose which. */
typedef struct clv_demo_choice {
    char policy[24]; /* a policy's name; "exact-throughput": the exact plan for that goal */
    int contender;
    double believed_us; /* what the policy takes its goal to be, when that is a time; else 0 */
} clv_demo_choice;

typedef struct clv_demo_row {
    char network[128], link[32], plan[128], best_cut[128];
    double p50_us; /* of the plan that the node chose */
    /* bare engine time of its segments, and of writing and reading its codec, + bytes / rate + RTT;
     * 0 where policies or load are measured */
    double floor_us;
    /* the same with the bytes of TCP/IP's headers, which the rate of a link counts */
    double wire_floor_us;
    double local_us, cloud_us, best_cut_us;
    /* of the plan: what crosses, plain and as it is written; 0: nothing */
    double tensor_bytes, coded_bytes;
    double predicted_us;
    double regret; /* p50_us / best_cut_us - 1 */
    double energy_j, local_energy_j,
        cloud_energy_j; /* of the plan, all here, all there; 0: not known */
    int rounds;
    clv_demo_contender contenders[CLV_DEMO_CONTENDERS_MAX];
    size_t n_contenders;
    clv_demo_choice choices[CLV_DEMO_CHOICES_MAX]; /* none unless policies or load are measured */
    size_t n_choices;
} clv_demo_row;

typedef struct clv_demo_edge {
    const clv_node_options *node;
    const clv_device_options *device;
    const clv_text_list *networks; /* empty: all of the repository */
    const char *link_name;
    const clv_link *link; /* nominal values for the floor; NULL: as measured */
    int64_t budget_us;    /* for measuring a row */
    bool policies;        /* measure the cuts that the policies choose, too, and no floor */
    /* > 0: frames per second with so many requests in flight, of the policies' cuts */
    int64_t load;
    void (*row)(
        void *arg,
        const clv_demo_row *row); /* called as each is done, on another thread than the caller's */
    void *arg;
} clv_demo_edge;

CLV_MUST
clv_status clv_demo_edge_run(const clv_demo_edge *demo, clv_error *err);

#endif
