/* A chain of nodes: who answers, who stands behind it, and what the links between them are like. A
 * value, published by each node for each of its models and read by the node before it, so that the
 * first one can plan for all.
 *
 *     clv_chain *c;
 *     clv_chain_parse(text, bytes, &c, &err);              // GET /v2/models/M/chain of the peer
 *     if (clv_chain_find(c, own_id) >= 0) ...              // it comes back to this node: a loop
 *     clv_chain_free(c);
 *
 *     clv_chain mine = {.nodes = {{.id = own_id}}, .n = 1};   // this node
 *     clv_chain_extend(&mine, &(clv_chain_hop){link, url, wait_us}, c);   // then its peer, and what stands behind that
 *     char *text = clv_chain_json(&mine, true);
 *
 * Node 0 answers; node k + 1 is the peer of node k. What a node says of another it knows from that
 * one's own chain, so a chain is as old as the looks of all nodes on the way: seconds. It is for
 * planning; nothing is believed of it but numbers in their ranges, and a request that goes along it
 * is checked at every node (split/itinerary.h).
 *
 * A loop ends a chain: clv_chain_extend() takes no node twice, and a node that finds its own id in
 * its peer's chain says so and uses only what stands before it. Ids are made anew at each start of
 * a node.
 *
 * As JSON (docs/protocol.md): {"cleave_chain": 1, "digest", "pending", "nodes": [{"id", "url",
 * "wait_us", "link", "profile"}]}. Limits: CLV_CHAIN_NODES_MAX nodes, CLV_CHAIN_TEXT_MAX bytes.
 * Ownership: a chain owns its profiles. Threads: read by any, changed by one.
 *
 * Private to split/.
 */
#ifndef CLV_SPLIT_CHAIN_H
#define CLV_SPLIT_CHAIN_H

#include "cost/link.h"
#include "cost/profile.h"
#include "plan/problem.h"

enum {
    CLV_CHAIN_SCHEMA = 1,
    CLV_CHAIN_NODES_MAX = CLV_PLAN_DEVICES_MAX - 1, /* the asker is a device too */
    CLV_NODE_ID_TEXT = 33,                          /* 32 hexadecimal digits and NUL */
    CLV_CHAIN_URL_MAX = 256,
};
#define CLV_CHAIN_TEXT_MAX ((size_t)64 << 20)

typedef struct clv_chain_node {
    char id[CLV_NODE_ID_TEXT];
    char url[CLV_CHAIN_URL_MAX]; /* as the node before it knows it, for people; "" of node 0 */
    clv_link link;   /* from the node before it, as that one measures it; of node 0: down */
    int64_t wait_us; /* in its queue, as the node before it saw last */
    char *profile;   /* owned JSON of its clv_profile; NULL: not told */
} clv_chain_node;

typedef struct clv_chain {
    char digest[CLV_DIGEST_TEXT]; /* of the model, at all of these nodes */
    /* the last node has a peer that it does not know enough of yet: look again soon */
    bool pending;
    clv_chain_node nodes[CLV_CHAIN_NODES_MAX];
    size_t n;
} clv_chain;

void clv_chain_done(clv_chain *c);
void clv_chain_free(clv_chain *c); /* NULL is fine */

/* Which node has this id; -1: none. */
int clv_chain_find(const clv_chain *c, const char *id);
/* Forget node n and all behind it. */
void clv_chain_shorten(clv_chain *c, size_t n);
/* How a node sees its peer: the link to it, its address, the wait there. */
typedef struct clv_chain_hop {
    clv_link link;
    const char *url;
    int64_t wait_us;
} clv_chain_hop;
/* Add the peer and what stands behind it: `peers` (copied), whose node 0 is the peer. Stops at a
 * node that is there already, and at CLV_CHAIN_NODES_MAX nodes. */
void clv_chain_extend(clv_chain *c, const clv_chain_hop *to, const clv_chain *peers);
/* The same nodes in the same order? */
bool clv_chain_same_nodes(const clv_chain *a, const clv_chain *b);
/* Is the profile of each node but node 0 told? */
bool clv_chain_has_profiles(const clv_chain *c);
/* Give `to`, which has the same nodes, the profiles that it lacks. */
void clv_chain_move_profiles(clv_chain *to, clv_chain *from);

/* NUL-terminated JSON (heap); `profiles`: with those that are known. */
char *clv_chain_json(const clv_chain *c, bool profiles);
/* CLV_EINVAL names the field: no chain, no nodes, ids that are none or twice the same, numbers out
 * of range, a profile of another model. CLV_ELIMIT: too many nodes, too long. CLV_EMISMATCH:
 * another schema. */
CLV_MUST
clv_status clv_chain_parse(const char *json, size_t bytes, clv_chain **out, clv_error *err);

#endif
