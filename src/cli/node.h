/* A node in this process: loop, device, compute lane and inference server, put together from
 * options. `serve` puts HTTP before it, `tasks` and `demo` hand it requests directly.
 *
 *     clv_node_options node = {0}; clv_device_options device = {0};
 *     const clv_opt_set sets[] = {{clv_node_opts, clv_node_opts_n, &node}, CLV_OFFER_OPTS(&node.offer), ...device's};
 *     ...
 *     clv_node_start(&node, &device, &n, &err);
 *     clv_loop_run(n.loop);
 *     clv_node_stop(&n);
 */
#ifndef CLV_CLI_NODE_H
#define CLV_CLI_NODE_H

#include "cli/device_options.h"
#include "cli/offer_options.h"
#include "serve/server.h"

typedef struct clv_node_options {
    clv_text_list peers; /* the next hop, then those to use while it is lost */
    const char *models, *peer_ca, *peer_cert, *peer_key, *peer_token_file;
    const char *private, *power, *radio;
    bool accept_push, keep_segments; /* the latter: for measuring, no flag */
    int policy;
    int64_t watch_us, patience_us, queue_max, batch_max, cpu;
    clv_offer_options offer; /* its own table: CLV_OFFER_OPTS(&node.offer); left out: raw */
} clv_node_options;

/* URL of the next hop, NULL: none. */
const char *clv_node_peer(const clv_node_options *o);

extern const clv_opt clv_node_opts[];
extern const size_t clv_node_opts_n;

typedef struct clv_node {
    clv_loop *loop;
    clv_engine *engine;
    clv_lane *lane;
    clv_server *server;
    char *token;            /* for the peer */
    clv_energy_rates rates; /* of this device and the link, as --power and --radio give them */
} clv_node;

CLV_MUST
clv_status clv_node_start(const clv_node_options *options, const clv_device_options *device,
                          clv_node *out, clv_error *err);
/* Every request must have been answered. Accepts a half-started node. */
void clv_node_stop(clv_node *n);

/* The first line of a file, at most 4096 bytes: a secret that is not to stand on a command line.
 * NULL path: $CLEAVE_TOKEN, or no token (*out NULL). It must be one word of printable ASCII, which
 * goes into a header as it is. Heap text. */
CLV_MUST
clv_status clv_token_read(const char *path, char **out, clv_error *err);

#endif
