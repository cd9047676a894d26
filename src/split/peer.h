/* The node that this one can hand work to: its connection, the state of the link to it, and the calls a split needs.
 *
 *     clv_peer_new(loop, &(clv_peer_options){.url = "http://10.0.0.2:8000", ...}, &peer, &err);
 *     clv_peer_watch(peer, on_change, me);        // tells of link changes, losses and returns
 *     clv_peer_infer(peer, &(clv_peer_infer_args){...});
 *
 * The link is measured passively from every exchange, with what TCP knows as a second witness, and
 * by a small probe when nothing else tells and the answer could change a plan
 * (measure/link_monitor.h). A peer is up once it answered, and down from the moment a call to it
 * failed for want of an answer; while it is down pings go out, and nothing else.
 *
 * Threads: clv_peer_infer, clv_peer_cancel, clv_peer_link and those that say so from any; the rest, and all callbacks,
 * on the loop's thread.
 */
#ifndef CLV_SPLIT_PEER_H
#define CLV_SPLIT_PEER_H

#include "cost/link.h"
#include "cost/profile.h"
#include "net/client.h"
#include "policy/hedge.h"
#include "split/chain.h"
#include "split/guard.h"
#include "split/node_load.h"
#include "split/request.h"

typedef struct clv_peer clv_peer;

typedef struct clv_peer_options {
    const char *url;
    const clv_tls_options *tls;
    const char *token;
    int64_t watch_every_us; /* how often those who watch are told at least; 0: 1 s */
    clv_radio radio;        /* what the link takes besides time; part of clv_peer_link() */
} clv_peer_options;

CLV_MUST
clv_status clv_peer_new(clv_loop *loop, const clv_peer_options *options, clv_peer **out,
                        clv_error *err);
/* Fails what is in flight. After it no callback comes. */
void clv_peer_free(clv_peer *p);

const char *clv_peer_url(const clv_peer *p);
int64_t clv_peer_watch_every_us(const clv_peer *p);
clv_loop *clv_peer_loop(const clv_peer *p);
/* `up` is false until the first measurement is done. */
clv_link clv_peer_link(clv_peer *p);
/* Its rates were learnt while this node was busy: they are asked for anew, until they are
 * known well. Any thread. */
void clv_peer_distrust(clv_peer *p);
/* What pings and probes have sent upwards so far; a ping counts as CLV_LINK_PING_BYTES. Any thread. */
uint64_t clv_peer_asked_bytes(clv_peer *p);

/* A request begins that may need the link: a link that stepped lately is asked for a sign of life, if
 * nothing is under way on it (clv_link_monitor_greets()). */
void clv_peer_greet(clv_peer *p);
/* How long one has been awaited; 0: none is. Any thread. */
int64_t clv_peer_silent_us(clv_peer *p);

/* How busy it said it is, and when (its pings ask); false: it has not said, or is lost. Loop's thread. */
bool clv_peer_load(const clv_peer *p, clv_node_load *load, int64_t *at_us);

/* Did the last attempt to reach it fail? False while the first one is under way. Loop's thread. */
bool clv_peer_unreachable(const clv_peer *p);

/* Called when the link's estimate moved by more than its noise, when the peer was lost, and when it came back. */
typedef void (*clv_peer_change_fn)(void *arg);
void clv_peer_watch(clv_peer *p, clv_peer_change_fn fn, void *arg);

/* Who plans over the link: could what a measurement tells change the plan? Asked before bytes are
 * sent for nothing else; the link is measured so if any says yes. Loop's thread. */
typedef bool (*clv_peer_doubt_fn)(void *arg);
void clv_peer_consult(clv_peer *p, clv_peer_doubt_fn fn, void *arg);

/* What the peer says of a model. */
typedef struct clv_peer_model {
    int protocol; /* CLV_PEER_PROTOCOL of the peer; 0: it tells none, so it is no cleave node */
    char digest[CLV_DIGEST_TEXT];
} clv_peer_model;
typedef void (*clv_peer_model_fn)(void *arg, const clv_peer_model *model, const clv_error *error);
void clv_peer_get_model(clv_peer *p, const char *model, const char *version, clv_peer_model_fn done,
                        void *arg);

typedef void (*clv_peer_profile_fn)(void *arg, clv_profile *take, const clv_error *error);
void clv_peer_get_profile(clv_peer *p, const char *model, const char *version,
                          clv_peer_profile_fn done, void *arg);

/* What stands behind the peer, with the profiles of those nodes if asked for. */
typedef void (*clv_peer_chain_fn)(void *arg, clv_chain *take, const clv_error *error);
void clv_peer_get_chain(clv_peer *p, const char *model, const char *version, bool profiles,
                        clv_peer_chain_fn done, void *arg);

typedef void (*clv_peer_done_fn)(void *arg, const clv_error *error); /* error NULL: done */
/* Make the peer, and those behind it on `route` (split/itinerary.h; NULL: none), hold the segments
 * from the tensors `names` on. */
void clv_peer_prepare(clv_peer *p, const char *model, const char *version, const char *const *names,
                      size_t n, const char *route, clv_peer_done_fn done, void *arg);
/* Send the model's files (paths; the first is the .onnx); they are mapped until sent. */
void clv_peer_push(clv_peer *p, const char *model, const char *version, const char *digest,
                   const char *const *files, size_t n, clv_peer_done_fn done, void *arg);

/* What came of one remote part. */
typedef struct clv_peer_answer {
    const clv_error *error; /* NULL: `outputs` hold the answer (take them: clear the list) */
    bool lost;              /* the peer gave no answer at all, as opposed to an error */
    bool withheld;          /* nothing was sent: the guard forbade it */
    clv_tensors *outputs;
    int64_t encode_us, link_us, queue_us, cloud_us, relay_us, decode_us, total_us;
    /* the peer's times cannot be (split/peer_times.h): they are clamped, and teach nothing */
    bool nonsense;
    clv_trip trip; /* of the peer and those behind it; n 0: not told, or not to be believed */
    clv_crossings crossed; /* on the hops behind the peer, as it tells */
    bool shared;           /* as in clv_request */
    /* why the peer did itself what one behind it should have done; "" if it did not */
    const char *recovered;
    size_t up_bytes, down_bytes; /* of the messages */
    size_t unsent_bytes;         /* up_bytes, or 0: all of them were acknowledged */
} clv_peer_answer;
typedef void (*clv_peer_infer_fn)(void *arg, const clv_peer_answer *answer);

typedef struct clv_peer_infer_args {
    const char *model, *version, *digest, *id;
    clv_guard *guard;  /* asked right before the tensors become bytes */
    size_t cut;        /* that the tensors are at */
    const char *route; /* what the peer is to hand on (split/itinerary.h); NULL: nothing */
    /* the array and all names are read during the call; the tensors' data must live until `release`
     * */
    const clv_tensor *inputs;
    size_t n_inputs;
    const char *codec;         /* the name of that of coded inputs, for the message; or NULL */
    const char *const *wanted; /* output names */
    size_t n_wanted;
    int64_t deadline_us; /* monotonic */
    bool patient;        /* that is how long this node waits, and orders nothing there */
    /* what it should take; far beyond that the link counts as slower. 0: not known */
    int64_t expected_us;
    clv_peer_infer_fn done; /* exactly once */
    void (*release)(
        void *arg); /* exactly once: the inputs' data are no longer read. Before or after `done` */
    void *arg;
} clv_peer_infer_args;
/* `done` and `release` come on the loop's thread, never from inside this call. Returns the call's
 * number; 0: nothing was sent. */
uint64_t clv_peer_infer(clv_peer *p, const clv_peer_infer_args *args);
/* The answer is of no use any more: the peer is told (RST_STREAM CANCEL), `done` gets
 * CLV_ECANCELED. 0 and ended calls are ignored. */
void clv_peer_cancel(clv_peer *p, uint64_t call);
/* How far what goes up has come, as the other side acknowledged it: of the only exchange under way.
 * False: none is, others are too, or it is not known. */
bool clv_peer_look(clv_peer *p, clv_hedge_progress *out);
/* A call that sent `up_bytes` (0: they are all there) has no answer for `us` and will be waited for no more: that tells of
 * the link, and the peer is asked for a sign of life. */
void clv_peer_late(clv_peer *p, size_t up_bytes, int64_t us);

#endif
