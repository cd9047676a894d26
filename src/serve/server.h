/* A node's inference server: models, their metadata, and requests for them. Between api/ (who asks)
 * and split/ (who runs).
 *
 *     clv_server_new(&options, loop, engine, lane, &server, &err);
 *     clv_server_submit(server, request);         // answered exactly once through request->done
 *
 * Threads: any, if not said otherwise. Callbacks named `done` come on any thread.
 */
#ifndef CLV_SERVE_SERVER_H
#define CLV_SERVE_SERVER_H

#include "cost/link.h"
#include "engine/engine.h"
#include "engine/lane.h"
#include "graph/leakage.h"
#include "net/client.h"
#include "net/loop.h"
#include "plan/offer.h"
#include "plan/policies.h"
#include "repo/network.h"
#include "split/request.h"
#include "tensor/codec.h"

typedef struct clv_server clv_server;

typedef struct clv_server_options {
    const char *models; /* repository: NAME/VERSION/model.onnx, or NAME.onnx */
    const char *peer;   /* URL of the node to hand work to; NULL: none */
    const char *const
        *detours; /* URLs of nodes behind it, used in this order while it is lost; read by
                                   clv_server_new(); at most CLV_SPLITTER_DETOURS_MAX */
    size_t n_detours;
    const clv_tls_options *peer_tls;
    const char *peer_token;
    bool accept_push;       /* peers may store models here */
    const char *policy;     /* a name of plan/policies.h; NULL: exact */
    clv_plan_offer offer;   /* in which codecs tensors may go to the peer; zeroed: raw only */
    int64_t watch_every_us; /* of the link; 0: 1 s */
    int64_t patience_us;  /* longest wait for a peer beyond the prediction before the edge finishes
                            itself */
    const char *profiles; /* where profiles are kept; NULL: clv_profile_cache_dir() */
    int64_t batch_max;    /* requests for one segment that are run as one; below 2: each alone */
    bool keep_segments;   /* for measuring: never evict one, so that cuts can be switched at once */
    int threads; /* of the engine, and its emulated slowdown (0: none): they stand in the profiles */
    double slowdown;
    clv_privacy privacy; /* what never leaves for the peer; zeroed: all may */
    clv_power power;     /* of this device, for its profiles; zeroed: as they have it */
    double price_per_s;  /* of computing on it; 0: as they have it */
    clv_radio radio;     /* of the link to the peer */
} clv_server_options;

CLV_MUST
clv_status clv_server_new(const clv_server_options *options, clv_loop *loop, clv_engine *engine,
                          clv_lane *lane, clv_server **out, clv_error *err);
/* Waits for what was accepted, then frees. Loop's thread, after the HTTP server has drained. */
void clv_server_free(clv_server *s);

/* Takes the request. Also refusals come through `done`: CLV_ENOTFOUND (model, version), CLV_EBUSY
 * (queue full), CLV_EINVAL (inputs), CLV_EMISMATCH (digest). */
void clv_server_submit(clv_server *s, clv_request *take);

/* Every model of the repository is loaded or has failed for good, and the server does not drain. */
bool clv_server_ready(clv_server *s);
/* Ready, and every model has its first plan, or no peer to make one with. Loop's thread. */
bool clv_server_settled(clv_server *s);
/* The end is near: not ready any more, but still answering. */
void clv_server_drain(clv_server *s);

/* How busy the compute lane is. */
clv_lane_load clv_server_load(const clv_server *s);

typedef struct clv_model_info {
    char *name, *version, *digest,
        *reason;      /* reason: why it failed; NULL if it is ready or loading */
    char *plan;       /* what an edge node does with it now; NULL on a node without a peer */
    const char *mode; /* what plans are made for: "latency", "throughput"; NULL: no peer. Static */
    size_t withheld;  /* tensors that the sender had to stop: split/guard.h */
    bool ready;
    clv_network *network; /* a reference; NULL if not ready */
} clv_model_info;
/* CLV_ENOTFOUND names the model and what there is. An empty or NULL version is the newest that
 * is ready, else the newest. The caller calls clv_model_info_done(). */
CLV_MUST
clv_status clv_server_model(clv_server *s, const char *name, const char *version,
                            clv_model_info *out, clv_error *err);
/* The same, and CLV_EUNAVAIL with the reason if it is not ready. */
CLV_MUST
clv_status clv_server_model_ready(clv_server *s, const char *name, const char *version,
                                  clv_model_info *out, clv_error *err);
void clv_model_info_done(clv_model_info *info);
/* All models and versions, sorted by name. Free each item with clv_model_info_done() and the array
 * with free(). */
clv_model_info *clv_server_models(clv_server *s, size_t *n);

/* The profile of a model on this node's device as JSON (docs/json.md). Measured in the background
 * when it is not known yet (between requests, so that it takes a while under load); `done(arg,
 * json, error)` gets NULL and an error if that fails. */
typedef void (*clv_server_text_fn)(void *arg, const char *text, const clv_error *error);
void clv_server_profile(clv_server *s, const char *model, const char *version,
                        clv_server_text_fn done, void *arg);

/* This node and those behind it, for one model (docs/json.md), with the profiles of those behind it
 * if asked for. Heap text. Loop's thread. */
CLV_MUST
clv_status clv_server_chain(clv_server *s, const char *model, const char *version, bool profiles,
                            char **out, clv_error *err);

/* Make the segment that starts at the tensors `names` resident, off the request path; with a `way`
 * (NULL or "": none) also what the nodes behind this one are to run. `done` with NULL error: it is.
 * Loop's thread. */
typedef void (*clv_server_done_fn)(void *arg, const clv_error *error);
void clv_server_prepare(clv_server *s, const char *model, const char *version,
                        const char *const *names, size_t n, const char *way,
                        clv_server_done_fn done, void *arg);

/* The link to the peer as this node takes it to be. False: there is no peer. */
bool clv_server_link(clv_server *s, clv_link *out);
/* What this node has sent its peer only to know that link; 0: there is no peer. */
uint64_t clv_server_asked_bytes(clv_server *s);

/* For measuring: clv_splitter_problem() and clv_splitter_pin() of a model. Loop's thread. */
CLV_MUST
clv_status clv_server_problem(clv_server *s, const char *model, const clv_plan_problem **problem,
                              clv_error *err);
void clv_server_pin(clv_server *s, const char *model, int cut, clv_codec codec,
                    clv_server_done_fn done, void *arg);

/* Receive a model: its files, one behind the other, each after a line "NAME SIZE", the .onnx first.
 * They are written beside the repository, checked against `digest`, opened, and only then moved into
 * place. CLV_EDENIED when pushing is not allowed, CLV_EINVAL for a bad name or version, CLV_EEXIST
 * if another digest has that place. */
typedef struct clv_model_push clv_model_push;
CLV_MUST
clv_status clv_server_push_begin(clv_server *s, const char *model, const char *version,
                                 const char *digest, clv_model_push **out, clv_error *err);
CLV_MUST
clv_status clv_model_push_write(clv_model_push *p, const void *bytes, size_t n, clv_error *err);
/* Ends and frees the push in every case; opening the model happens on a background thread. */
void clv_model_push_end(clv_model_push *take, clv_server_done_fn done, void *arg);
void clv_model_push_abort(clv_model_push *take);

#endif
