/* A request on its way through a splitter: what its steps share. carry.c begins and ends it,
 * carry_local.c runs segments for it here (carry_together.c: for several requests at once),
 * carry_handover.c looks once more at the cut,
 * carry_remote.c has the peer do its part, carry_hedge.c begins that here as well when its answer
 * will be too late. Private to split/.
 *
 * Held by whoever runs the next step, and by the message to the peer as long as that may still be
 * read by the socket: a lost peer's message can outlive the answer. So the tensors are the carry's,
 * not the request's.
 */
#ifndef CLV_SPLIT_CARRY_H
#define CLV_SPLIT_CARRY_H

#include "split/splitter_priv.h"

/* The peer's part, begun here as well. */
typedef struct clv_carry_hedge {
    clv_timer *timer; /* until it is to begin */
    bool running, failed;
    bool gave_up;     /* on the peer, for want of budget */
    int64_t at_us;    /* when it is to begin, whatever its bytes do */
    int64_t begun_us; /* when; the rest is the compute lane's until it has ended */
    int64_t wait_us, decode_us, run_us; /* in this node's queue; reading; computing */
    clv_tensors out;
    clv_error error;
} clv_carry_hedge;

/* A sign of life of the link, waited for at the cut. */
typedef struct clv_carry_sign {
    clv_timer *timer;
    int64_t since_us, wait_us;
} clv_carry_sign;

typedef struct clv_carry {
    clv_splitter *s;
    clv_request *r;
    atomic_int refs;
    bool unsure;       /* the peer's times are nonsense: they teach nothing */
    clv_tensors given; /* the request's inputs */
    clv_deployment *d;
    size_t way;            /* to the peer that it goes to */
    clv_route route;       /* that it came with, if it did */
    size_t from;           /* the cut that the request's inputs are at */
    size_t cut;            /* the cut up to which it is run here, when all goes well */
    clv_tensors made;      /* by the head: live tensors and outputs of the network */
    clv_tensors plain;     /* what was given coded and has been read */
    clv_tensors coded;     /* what goes to the peer, where it is written for that */
    clv_crossing crossing; /* what went to the peer */
    clv_segment *run;      /* what a local run is to run; borrowed */
    clv_segment *own;      /* a reference that only this request holds, or NULL */
    clv_pace_part *part;   /* what is known of `run`; NULL: nothing */
    size_t rows;           /* of its inputs */
    atomic_bool answered, recalled;
    /* the peer's part: set before it is asked, then the loop's thread */
    _Atomic uint64_t call;
    int64_t asked_us, expected_us, upload_us, peer_deadline_us;
    atomic_bool peer_open;
    clv_carry_sign sign;
    clv_carry_hedge hedge;
} clv_carry;

/* ---- carry.c ---- */

void clv_carry_unref(void *carry);
/* Answer with an error, or with the network's outputs that were asked for: `tail` has those that
 * the last part made, the head's are in `made`. Gives the answerer's reference back. */
void clv_carry_fail(clv_carry *c, const clv_error *error);
void clv_carry_answer(clv_carry *c, clv_tensors *tail);
bool clv_carry_wants(const clv_carry *c, const char *output);
/* Is this a request of one input, as profiles are? */
bool clv_carry_is_single(const clv_carry *c);
/* As a job of a lane: whose it is, and when it is due. */
clv_job clv_carry_job(const clv_carry *c);
/* Run the segment between two cuts (NULL: there is none, only something to write) as a step on the compute lane. */
void clv_carry_run(clv_carry *c, size_t from, size_t to, clv_segment *segment,
                   void (*step)(void *, int64_t));
/* Compile something first, as a step on the build lane. */
void clv_carry_build(clv_carry *c, void (*step)(void *, int64_t));
/* The tensors that a segment needs, from what the head made or the request brought, plain if they
 * have been read: views, in a heap array. A missing one is left out: the segment names it. */
clv_tensor *clv_carry_gather(const clv_carry *c, const clv_segment *segment, size_t *n);

/* What it is called in the answer, and what is predicted for that. */
void clv_carry_set_plan(clv_carry *c, const char *label);
/* Run the head of c->d, which the request's tensors are at the beginning of, then ask the peer for the rest. */
void clv_carry_start(clv_carry *c);

/* ---- carry_handover.c: the compute lane, or where the request began ---- */

/* The head has run, if there is one: write what goes to the peer in the route's codec and ask it,
 * or go on here where that is better now (policy/handover.h). */
void clv_carry_hand_over(clv_carry *c);
/* Nothing is run or written here before: the peer gets what came, plain or in its asker's codec. */
bool clv_carry_goes_as_it_came(const clv_carry *c);

/* ---- carry_relay.c ---- */

/* Follow the way that the request came with. `taken` false: there is none, or nobody to hand on to;
 * the rest runs here. CLV_EINVAL: it does not fit this network. */
CLV_MUST
clv_status clv_carry_relay(clv_carry *c, bool *taken, clv_error *err);

/* ---- carry_local.c: steps of the compute lane ---- */

/* Has whoever asked gone, or the deadline passed? Then it is answered so. */
bool clv_carry_given_up(clv_carry *c);
/* The same as its turn comes; then also if it would be late anyway (clv_carry_too_late). */
bool clv_carry_turned_away(clv_carry *c);
/* Read what came coded and this segment needs; adds to *decode_us. */
CLV_MUST
clv_status clv_carry_read(clv_carry *c, const clv_segment *segment, int64_t *decode_us,
                          clv_error *err);
/* The head, if there is one, then the peer. */
void clv_carry_run_head(void *carry, int64_t queue_us);
/* The rest of the network, on the lane that the head has just run on. */
void clv_carry_go_on(clv_carry *c, size_t from, size_t to, clv_segment *segment);
/* c->run: the rest of the network, from the request's inputs or from the tensors that the head made. */
void clv_carry_run_rest(void *carry, int64_t queue_us);

/* The tail, while the peer may still answer. */
void clv_carry_run_hedge(void *carry, int64_t queue_us);

/* ---- carry_together.c ---- */

/* Can what it is about to run be run for other requests as well? */
bool clv_carry_may_share(const clv_carry *c);
/* clv_job's `together` and `run_together`. */
size_t clv_carry_together(void *kind, void *first, size_t waiting, int64_t slack_us);
void clv_carry_run_together(void *kind, void *const *args, const int64_t *queue_us, size_t n);

/* ---- carry_admit.c ---- */

/* Could this node do so much for every request that comes? What is done here instead of by the peer
 * is done for one request at the cost of those behind it: under a load that is too much for this
 * node alone, it would make all of them late. */
bool clv_carry_affords(const clv_carry *c, int64_t run_us);
/* Can it be answered in time by the deployment, or (`*here` is set) at least by this node alone, if
 * that is afforded? CLV_EBUSY and CLV_ETIMEOUT have the numbers. */
CLV_MUST
clv_status clv_carry_admit(clv_carry *c, bool *here, clv_error *err);
/* Its turn on the lane has come, and others wait behind it: would what it is about to run, and the
 * peer's part after a head, end behind its deadline? Under overload earliest deadline first serves
 * those that are just too late, and so makes the next just too late (the domino effect). */
bool clv_carry_too_late(const clv_carry *c, clv_error *err);

/* ---- carry_remote.c ---- */

void clv_carry_ask_peer(clv_carry *c);
/* The peer will not do its part, for this reason: it is done here, from the tensors at the cut; or
 * that is left to the hedge that does. */
void clv_carry_recover(clv_carry *c, const clv_error *error);
/* Whoever asked has gone: drop what waits. Ends the reference that it is given. Loop's thread. */
void clv_carry_drop(void *carry);

/* ---- carry_hedge.c: loop's thread, but for _arm ---- */

/* What the peer's part takes here behind what waits; 0: not known. Any thread. */
int64_t clv_carry_here_us(const clv_carry *c);
/* The peer was asked: begin its part here as well when it is time. */
void clv_carry_arm(clv_carry *c);
/* The peer's part has ended; no hedge begins any more. */
void clv_carry_disarm(clv_carry *c);
void clv_carry_hedge_ended(void *carry);
/* Another answer came first, or none is wanted: the hedge does not run if it has not begun. */
void clv_carry_hedge_drop(clv_carry *c);

#endif
