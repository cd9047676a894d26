/* One network on this node: carries out requests for it, alone or together with a peer.
 *
 *     clv_splitter_new(&(clv_splitter_options){.network = net, .compute = lane, ...}, &s, &err);
 *     clv_splitter_run(s, request);     // any thread; answered exactly once through request->done
 *
 * A request goes head -> peer -> done. The head is the prefix of the deployed plan, on the compute
 * lane; the rest is asked of the peer; when the peer dies, stalls or refuses at any step, the tail
 * is run here from the tensors at the cut, which are kept until then, so that the prefix never runs
 * twice. A request whose inputs are tensors at a cut runs from there (that is the peer's side of
 * the same machine: edge and cloud are one program).
 *
 * The deployment (a route, split/route.h, with its segments resident on both sides) is one
 * reference-counted value. A new plan is prepared beside it and swapped in; requests in flight end
 * on the one that they began with, so a switch pauses nothing. All local stays resident always: it
 * is the way out. Some that were, or may be, are kept warm, at both ends: going there costs nothing.
 *
 * Privacy: what must stay (`privacy`) is in no plan, cannot be pinned, and the sender looks again before a byte leaves
 * (split/guard.h): a request that would send it is finished here instead, which is logged as an error and counted.
 *
 * Planning: with both devices' profiles and a measured link, at each change of the link
 * (split/adapt.c). The only caller of plan/ at run time. Whether to move to a better plan is
 * decided by work functions (policy/switching.h); when requests come faster than the latency plan
 * can take, the throughput plan takes over (policy/load_mode.h).
 */
#ifndef CLV_SPLIT_SPLITTER_H
#define CLV_SPLIT_SPLITTER_H

#include "engine/lane.h"
#include "plan/offer.h"
#include "plan/policies.h"
#include "repo/network.h"
#include "split/peer.h"
#include "split/route.h"

typedef struct clv_splitter clv_splitter;

enum { CLV_SPLITTER_DETOURS_MAX = CLV_PLAN_DEVICES_MAX - 2 };

typedef struct clv_splitter_options {
    const char *model, *version;
    const char *node_id;  /* of this node, in chains (split/chain.h); NULL: zeros */
    clv_network *network; /* a reference is taken */
    clv_lane *compute;    /* where segments run */
    clv_lane *build;      /* where segments that requests wait for are compiled, */
    clv_lane *prepare;    /* and where those of a route to come are; the same one, perhaps */
    clv_loop *loop;       /* where planning and its callbacks happen */
    clv_peer *peer;       /* the next hop; NULL: none */
    clv_peer *const *
        detours; /* used in this order while `peer` is lost: nodes behind it; read by clv_splitter_new(); at most
                                 CLV_SPLITTER_DETOURS_MAX */
    size_t n_detours;
    clv_policy policy;
    clv_plan_offer offer;       /* in which codecs tensors may go to a peer; zeroed: raw only */
    const clv_privacy *privacy; /* what may not leave; read by clv_splitter_new(); NULL: all may */
    bool keep_segments;         /* never evict one */
    size_t batch_max;           /* requests in one run of a segment; below 2: one */
    int64_t patience_us;        /* see clv_server_options */
} clv_splitter_options;

/* Compiles the whole network first (blocks). */
CLV_MUST
clv_status clv_splitter_new(const clv_splitter_options *options, clv_splitter **out,
                            clv_error *err);
/* Wait until every request is answered, then no more planning and no more calls to the peer. Loop's
 * thread, while the loop does not run, when nobody submits any more; then free the peer, whose
 * socket may still read a request's tensors, and the build lane; then the splitter. */
void clv_splitter_close(clv_splitter *s);
/* Loop's thread, while the loop does not run. NULL is fine. */
void clv_splitter_free(clv_splitter *s);

/* Begin to follow the peer's link. Once, on the loop's thread; only with a peer. */
void clv_splitter_follow(clv_splitter *s);

void clv_splitter_run(clv_splitter *s, clv_request *take);

/* This device's own profile; planning begins when the peer's is known too. Takes it. Loop's thread. */
void clv_splitter_set_profile(clv_splitter *s, clv_profile *take);

/* Make the segment from the cut with these tensors resident, off the request path; with a `way`
 * (split/itinerary.h; NULL or "": none) what this node is to run on it, and so on down the way.
 * `done` on any thread. Loop's thread. */
typedef void (*clv_splitter_done_fn)(void *arg, const clv_error *error);
void clv_splitter_prepare(clv_splitter *s, const char *const *names, size_t n, const char *way,
                          clv_splitter_done_fn done, void *arg);

/* This node, and what stands behind it, as JSON of a clv_chain, with the profiles of those behind
 * if asked for. Heap text. Loop's thread. */
char *clv_splitter_chain(clv_splitter *s, bool profiles);

/* Is what is deployed what the planner wants (or is there nobody to plan with: no peer, or one that refused, or one
 * that has not been of use for some seconds)? Loop's thread. */
bool clv_splitter_settled(const clv_splitter *s);

/* How often the sender stopped a tensor that must stay: 0, or this program has a fault. Any thread. */
size_t clv_splitter_withheld(const clv_splitter *s);

/* What is deployed now: the route's label. Heap text. Any thread. */
char *clv_splitter_plan(clv_splitter *s);
/* What the plans are made for, by the load: "latency" or "throughput" (policy/load_mode.h). Any thread. */
const char *clv_splitter_mode(clv_splitter *s);
/* The problem that the next plan would be made from, with the link as it is now; its cuts are the
 * network's. Borrowed until the next call. CLV_EUNAVAIL while a profile is missing. Loop's
 * thread. */
CLV_MUST
clv_status clv_splitter_problem(clv_splitter *s, const clv_plan_problem **problem, clv_error *err);
/* Deploy this route and keep it whatever the link does (for measuring); NULL plans again. `done`
 * when it is deployed. CLV_EDENIED: privacy forbids it. Loop's thread. */
void clv_splitter_pin(clv_splitter *s, const clv_route *route, clv_splitter_done_fn done,
                      void *arg);

#endif
