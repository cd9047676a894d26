/* A request on its way through a splitter: what its steps share. carry.c begins and ends it, carry_local.c runs segments for it
 * here, carry_remote.c has the peer do its part. Private to split/.
 *
 * Held by whoever runs the next step, and by the message to the peer as long as that may still be read by the socket: a lost
 * peer's message can outlive the answer. So the tensors are the carry's, not the request's.
 */
#ifndef CLV_SPLIT_CARRY_H
#define CLV_SPLIT_CARRY_H

#include "split/splitter_priv.h"

typedef struct clv_carry {
    clv_splitter *s;
    clv_request *r;
    atomic_int refs;
    clv_tensors given; /* the request's inputs */
    clv_deployment *d;
    size_t way;        /* to the peer that it goes to */
    clv_route route;   /* that it came with, if it did */
    size_t from;       /* the cut that the request's inputs are at */
    size_t cut;        /* the cut up to which it is run here, when all goes well */
    clv_tensors made;  /* by the head: live tensors and outputs of the network */
    clv_tensors plain; /* what was given coded and has been read */
    clv_tensors coded; /* what goes to the peer, where it is written for that */
    clv_segment *run;  /* what a local run is to run; borrowed */
    clv_segment *own;  /* a reference that only this request holds, or NULL */
} clv_carry;

/* ---- carry.c ---- */

void clv_carry_unref(void *carry);
/* Answer with an error, or with the network's outputs that were asked for: `tail` has those that the last part made, the head's
 * are in `made`. Gives the answerer's reference back. */
void clv_carry_fail(clv_carry *c, const clv_error *error);
void clv_carry_answer(clv_carry *c, clv_tensors *tail);
bool clv_carry_wants(const clv_carry *c, const char *output);
/* Is this a request of one input, as profiles are? */
bool clv_carry_is_single(const clv_carry *c);
void clv_carry_submit(clv_carry *c, clv_lane *lane, void (*step)(void *, int64_t));
/* The tensors that a segment needs, from what the head made or the request brought, plain if they have been read: views, in a heap
 * array. A missing one is left out: the segment names it. */
clv_tensor *clv_carry_gather(const clv_carry *c, const clv_segment *segment, size_t *n);

/* Run the head of c->d, which the request's tensors are at the beginning of, then ask the peer for the rest. */
void clv_carry_start(clv_carry *c);

/* ---- carry_relay.c ---- */

/* Follow the way that the request came with. `taken` false: there is none, or nobody to hand on to; the rest runs here. CLV_EINVAL:
 * it does not fit this network. */
CLV_MUST
clv_status clv_carry_relay(clv_carry *c, bool *taken, clv_error *err);

/* ---- carry_local.c: steps of the compute lane ---- */

/* The head, if there is one, and the route's codec; then the peer. */
void clv_carry_run_head(void *carry, int64_t queue_us);
/* c->run: the rest of the network, from the request's inputs or from the tensors that the head made. */
void clv_carry_run_rest(void *carry, int64_t queue_us);

/* ---- carry_remote.c ---- */

void clv_carry_ask_peer(clv_carry *c);
/* The peer will not do its part, for this reason: it is done here, from the tensors at the cut. */
void clv_carry_recover(clv_carry *c, const clv_error *error);

#endif
