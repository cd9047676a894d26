/* One inference request, from the moment a node accepts it until it is answered.
 *
 * Made by api/ (or the cli), handed to serve/, carried out by split/. Ownership: whoever holds it;
 * clv_request_finish() calls `done` exactly once, which takes it back and frees it with
 * clv_request_free().
 *
 * The inputs may be the network's own, or the tensors at one of its legal cuts: then only the rest
 * of the network runs. That is all there is to a split on the wire: the Open Inference Protocol
 * with other tensor names.
 */
#ifndef CLV_SPLIT_REQUEST_H
#define CLV_SPLIT_REQUEST_H

#include "base/opt.h"
#include "cost/energy.h"
#include "split/crossing.h"
#include "split/recall.h"
#include "split/trip.h"
#include "tensor/tensor.h"

/* Where the time went, in microseconds. What a part did not do is 0; the parts add up to total_us,
 * less than 1 % aside. */
#define CLV_TIMING_MAP(X)                                                                          \
    X(wait_us, "waited in this node's queue")                                                      \
    X(edge_us, "computed here: prefix, or all of it")                                              \
    X(encode_us, "tensors into their codec and a message")                                         \
    X(link_us, "on the wire, both ways")                                                           \
    X(queue_us, "waited in the peer's queue")                                                      \
    X(cloud_us, "computed by the peer and those behind it")                                        \
    X(relay_us, "on the links behind the peer, and waiting there")                                 \
    X(decode_us, "messages and codecs into tensors")                                               \
    X(lost_us, "spent on a peer that did not answer, or not yet")                                  \
    X(total_us, "from acceptance to answer")

typedef struct clv_timing {
#define X(name, about) int64_t name;
    CLV_TIMING_MAP(X)
#undef X
} clv_timing;

/* What the plan says that a request will take, part by part (split/prediction.h). */
typedef struct clv_prediction {
    bool known;
    clv_timing us, sigma_us; /* standard deviations; parts that are not predicted are 0 */
} clv_prediction;

typedef struct clv_request clv_request;
struct clv_request {
    /* the question */
    char *model, *version, *id; /* version "" or NULL: the newest */
    char *digest; /* what the asker believes the model's digest is; NULL: no belief. Checked
                     (CLV_EMISMATCH) */
    clv_tensors inputs;
    clv_text_list wanted;             /* names of the outputs wanted; empty: all */
    int64_t accepted_us, deadline_us; /* monotonic; deadline 0: none */
    bool
        patient; /* the deadline is how long the asker waits: it is in no hurry (set for what came from a
                     node whose own asker named none, or a later one) */
    bool local_only; /* must not be handed on to a peer (set for what came from one: no loops) */
    char *
        route; /* but for this: where to stop and hand on, as the asker planned it (split/itinerary.h); NULL: nowhere */
    bool explain; /* the answer is to say what was predicted */
    uint64_t
        account; /* whose share of the device it takes (policy/fair.h): who asks; 0: this node */
    clv_recall *recall; /* a reference; NULL: cannot be recalled */
    /* the answer */
    clv_error error; /* status CLV_OK: outputs are valid */
    clv_tensors outputs;
    clv_timing timing;
    clv_prediction predicted; /* when it began */
    clv_trip
        trip; /* what the nodes behind this one took, the peer first; none where the peer does not tell */
    clv_crossings
        crossed; /* what crossed each link of the way, the one to the peer first; none where all ran here */
    size_t up_bytes, down_bytes; /* on the wire to the peer that answered, and back */
    char plan[128];              /* what ran where: "local", "remote" or the label of the cut */
    char hedged
        [8]; /* who answered first when the peer's part was begun here as well: "here" or "peer"; "" if it was not */
    bool
        stayed; /* the plan would have handed it over at its cut, but this node was quicker just then */
    bool shared; /* ran in one run with others, here or behind: what was computed was for all */
    char recovered[160]; /* why the peer's part was done here instead; "" if it was not */
    /* the asker */
    void (*done)(clv_request *r); /* any thread; takes the request */
    void *asker;
    void *carrier; /* of whoever carries it out */
};

clv_request *clv_request_new(const char *model);
void clv_request_free(clv_request *r);
/* Where the time of an answered request went, for clv_energy_j(). The whole time on the link counts as
 * sending and receiving, in proportion to the bytes; waiting in this node's queue takes nothing. */
clv_energy_use clv_request_use(const clv_request *r);
/* This node, as the timing has it, and those behind it. */
clv_trip clv_request_trip(const clv_request *r);
/* Sets total_us and calls `done`. */
void clv_request_finish(clv_request *r);

#endif
