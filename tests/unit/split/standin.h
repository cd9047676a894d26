/* A scripted stand-in for the peer, on real sockets: it speaks the protocol of a cleave node and
 * does as it is told at each step, also what no cleave node would do. Its own network computes the
 * right answers. */
#ifndef CLV_TESTS_SPLIT_STANDIN_H
#define CLV_TESTS_SPLIT_STANDIN_H

#include "net/node.h"
#include "split/chain.h"
#include "split/edge.h"
#include "split/oip.h"

typedef enum standin_answer {
    ANSWER_RIGHT,
    ANSWER_ERROR,    /* INTERNAL */
    ANSWER_NO_MODEL, /* NOT_FOUND */
    ANSWER_BUSY,     /* RESOURCE_EXHAUSTED */
    ANSWER_STALL,    /* never */
    ANSWER_GARBAGE,  /* OK with bytes that are no message */
    ANSWER_EMPTY,    /* OK without outputs */
    ANSWER_SHAPE,    /* OK with one column too few */
    ANSWER_DTYPE,    /* OK with doubles */
    ANSWER_NAME,     /* OK with an output of another name */
    ANSWER_HTTP,     /* HTTP 500, no gRPC */
    ANSWER_DIE,      /* the connection is closed */
    ANSWER_CORRUPT,  /* what becomes of encodings that broke on the way */
} standin_answer;

enum { STANDIN_HELD_MAX = 1024, STANDIN_SLICES_MAX = 16 };

typedef struct standin {
    node n;
    counting *engine;
    clv_network *network;
    char *folder;
    size_t best; /* cut that its profile makes the best */
    /* what its profile says of the whole and every suffix instead; 0: as `best` has it */
    double tail_us;
    _Atomic int64_t byte_ns; /* what a byte of a probe takes: it is as if its link were slow */
    /* what it says */
    atomic_int answer;                   /* standin_answer, to ModelInfer */
    atomic_bool has_model, other_digest; /* GET of the model */
    atomic_int protocol;                 /* its version; 0: not told */
    atomic_bool takes_push, keeps_push;  /* PUT: allowed; and then it has the model */
    atomic_bool bad_profile, bad_prepare;
    atomic_bool tells_chain;     /* itself, alone; else it answers with what is no chain */
    atomic_int fail_chains;      /* so many of the next questions for it get status 503 */
    const clv_buf *_Atomic more; /* of ModelInfer's answers: bytes behind the message; NULL: none */
    const char *_Atomic load;    /* GET of the load; NULL: nothing */
    /* what it was asked */
    atomic_int gone; /* exchanges that the asker left before they were answered */
    atomic_int infers, prepares, pushes, profiles, chains;
    atomic_size_t pushed_bytes;
    atomic_int wanted;   /* outputs that the last question named */
    atomic_bool patient; /* and was its deadline only how long the edge waits? */
    atomic_int coded;    /* inputs of the last question that were encodings */
    clv_exchange *held[STANDIN_HELD_MAX];
    size_t n_held;
    atomic_int carried; /* probes on their way */
} standin;

static inline void standin_say(clv_exchange *x, int status, const char *take_text)
{
    clv_slice body = {.data = take_text,
                      .bytes = strlen(take_text),
                      .release = free,
                      .owner = (void *)(uintptr_t)take_text};
    clv_exchange_respond(x, &(clv_response){.status = status, .body = &body, .n_body = 1});
}

static inline void standin_model(standin *s, clv_exchange *x)
{
    char digest[CLV_DIGEST_TEXT];
    snprintf(digest, sizeof digest, "%s", clv_network_digest(s->network));
    if (s->other_digest) digest[0] = digest[0] == 'a' ? 'b' : 'a';
    if (!s->has_model)
        standin_say(x, 404, clv_strdup("{\"error\": \"no such model\"}"));
    else if (s->protocol)
        standin_say(x, 200,
                    clv_format("{\"parameters\": {\"digest\": \"%s\", \"cleave_protocol\": %d}}",
                               digest, atomic_load(&s->protocol)));
    else
        standin_say(x, 200, clv_format("{\"parameters\": {\"digest\": \"%s\"}}", digest));
}

static inline void standin_push(standin *s, clv_exchange *x)
{
    atomic_fetch_add(&s->pushes, 1);
    atomic_store(&s->pushed_bytes, clv_body_bytes(clv_exchange_body(x)));
    if (s->takes_push && s->keeps_push) s->has_model = true;
    standin_say(x, s->takes_push ? 200 : 403, clv_strdup("{\"error\": \"no models are taken\"}"));
}

static inline void standin_profile(standin *s, clv_exchange *x)
{
    atomic_fetch_add(&s->profiles, 1);
    clv_profile *p = profile_for(s->network, false, s->best);
    for (size_t i = 0; s->tail_us > 0 && i + 1 < p->n_cuts; i++)
        p->cuts[i].suffix.us = p->cuts[i + 1].prefix.us = s->tail_us;
    char *json = s->bad_profile ? clv_strdup("{\"schema\": 1}") : clv_profile_json(p);
    clv_profile_free(p);
    standin_say(x, 200, json);
}

static inline void standin_chain(standin *s, clv_exchange *x)
{
    clv_chain c = {.n = 1, .nodes = {{.id = "00000000000000000000000000057a2d"}}};
    atomic_fetch_add(&s->chains, 1);
    snprintf(c.digest, sizeof c.digest, "%s", clv_network_digest(s->network));
    if (atomic_fetch_sub(&s->fail_chains, 1) > 0)
        standin_say(x, 503, clv_strdup("{\"error\": \"told to be away\"}"));
    else
        standin_say(x, 200, s->tells_chain ? clv_chain_json(&c, false) : clv_strdup("{}"));
}

/* Reads the inputs that are coded, or what is left of them. */
static inline clv_status standin_read(standin *s, clv_request *r)
{
    int coded = 0;
    for (size_t i = 0; i < r->inputs.n; i++) {
        clv_tensor *t = &r->inputs.items[i], plain;
        if (!t->coded) continue;
        coded++;
        if (s->answer == ANSWER_CORRUPT) t->bytes /= 2;
        if (clv_codec_decode(t, &plain, &r->error)) break;
        clv_tensor_done(t);
        *t = plain;
    }
    atomic_store(&s->coded, coded);
    return r->error.status;
}

/* The tail, here and now. */
static inline void standin_compute(standin *s, clv_request *r)
{
    clv_segment *tail;
    size_t n = 0;
    const clv_cuts *cuts = clv_network_cuts(s->network);
    const clv_graph *g = clv_network_graph(s->network);
    const char *names[8];
    for (; n < r->inputs.n; n++) names[n] = r->inputs.items[n].name;
    int cut = clv_cuts_find(cuts, g, names, n);
    if (cut < 0) {
        clv_fail(&r->error, CLV_EINVAL, "no legal cut");
        return;
    }
    if (standin_read(s, r)) return;
    if (clv_network_segment(s->network, (size_t)cut, cuts->n - 1, &tail, &r->error)) return;
    (void)!clv_segment_run(tail, r->inputs.items, n, &r->outputs, &r->error);
    clv_segment_unref(tail);
}

static inline void standin_lie(clv_request *r, standin_answer how)
{
    if (how == ANSWER_EMPTY) clv_tensors_done(&r->outputs);
    for (size_t i = 0; i < r->outputs.n; i++) {
        clv_tensor *t = &r->outputs.items[i];
        if (how == ANSWER_SHAPE) {
            t->shape.dim[1]--;
            t->bytes = (size_t)(t->shape.dim[0] * t->shape.dim[1]) * sizeof(float);
        } else if (how == ANSWER_DTYPE) {
            t->dtype = CLV_I32;
        } else if (how == ANSWER_NAME) {
            t->name[0] = 'z';
        }
    }
}

static inline void standin_tail(standin *s, clv_exchange *x, standin_answer how)
{
    clv_request *r;
    clv_error err = {0};
    clv_body *owner = NULL;
    const void *message;
    size_t bytes;
    clv_status status =
        clv_grpc_message(clv_exchange_body(x), NULL, UINT32_MAX, &owner, &message, &bytes, &err);
    if (!status)
        status = clv_oip_decode_question(&(clv_oip_bytes){message, bytes, owner}, clv_now_us(), &r,
                                         &err);
    clv_body_unref(owner);
    if (status) {
        clv_grpc_respond_error(x, status, err.text);
        return;
    }
    atomic_store(&s->wanted, (int)r->wanted.n);
    atomic_store(&s->patient, r->patient);
    standin_compute(s, r);
    if (r->error.status) {
        clv_grpc_respond_error(x, r->error.status, r->error.text);
        clv_request_free(r);
        return;
    }
    standin_lie(r, how);
    clv_oip_message m = clv_oip_encode_answer(r);
    const clv_buf *more = s->more;
    clv_slice slices[STANDIN_SLICES_MAX];
    assert_true(m.n < STANDIN_SLICES_MAX);
    memcpy(slices, m.slices, m.n * sizeof *slices);
    if (more) slices[m.n] = (clv_slice){.data = more->data, .bytes = more->len};
    clv_grpc_respond(x, slices, m.n + (more ? 1 : 0));
    clv_oip_message_done(&m);
}

static inline void standin_die(void *arg)
{
    standin *s = arg;
    if (s->answer != ANSWER_DIE) return; /* several requests posted it, and it is back already */
    clv_http_server_free(s->n.server);
    s->n.server = NULL;
}

static inline void standin_infer(standin *s, clv_exchange *x)
{
    static const char garbage[] = "\xff\xff\xff\xff\x07 this is no message";
    standin_answer how = (standin_answer)atomic_load(&s->answer);
    atomic_fetch_add(&s->infers, 1);
    switch (how) {
    case ANSWER_ERROR: clv_grpc_respond_error(x, CLV_EINTERNAL, "told to fail"); break;
    case ANSWER_NO_MODEL: clv_grpc_respond_error(x, CLV_ENOTFOUND, "told to forget"); break;
    case ANSWER_BUSY: clv_grpc_respond_error(x, CLV_EBUSY, "told to be busy"); break;
    case ANSWER_HTTP: standin_say(x, 500, clv_strdup("what?")); break;
    case ANSWER_GARBAGE: {
        clv_slice slice = {.data = garbage, .bytes = sizeof garbage};
        clv_grpc_respond(x, &slice, 1);
        break;
    }
    case ANSWER_STALL:
    case ANSWER_DIE:
        assert_true(s->n_held < STANDIN_HELD_MAX);
        s->held[s->n_held++] = x;
        if (how == ANSWER_DIE) clv_loop_post(s->n.loop, standin_die, s);
        break;
    case ANSWER_RIGHT:
    case ANSWER_CORRUPT:
    case ANSWER_EMPTY:
    case ANSWER_SHAPE:
    case ANSWER_DTYPE:
    case ANSWER_NAME: standin_tail(s, x, how); break;
    }
}

/* A probe on its way: its answer, once its bytes have had their time. The peer lives meanwhile. */
typedef struct standin_carried {
    standin *s;
    clv_exchange *x;
    clv_timer *timer;
} standin_carried;

static inline void standin_arrived(void *arg)
{
    standin_carried *c = arg;
    standin_say(c->x, 200, clv_strdup("{}"));
    clv_timer_free(c->timer);
    atomic_fetch_sub(&c->s->carried, 1);
    free(c);
}

static inline void standin_carry(standin *s, clv_exchange *x)
{
    int64_t us = (int64_t)clv_body_bytes(clv_exchange_body(x)) * s->byte_ns / 1000;
    standin_carried *c = clv_alloc(sizeof *c);
    *c = (standin_carried){.s = s, .x = x};
    atomic_fetch_add(&s->carried, 1);
    c->timer = clv_timer_new(s->n.loop, standin_arrived, c);
    clv_timer_start(c->timer, us, 0);
}

static inline void standin_request(void *ctx, clv_exchange *x)
{
    standin *s = ctx;
    const char *path = clv_exchange_path(x), *method = clv_exchange_method(x);
    if (strcmp(path, CLV_OIP_METHOD) == 0) {
        standin_infer(s, x);
    } else if (strcmp(path, "/v2/load") == 0 && s->load) {
        standin_say(x, 200, clv_strdup(s->load));
    } else if (strcmp(path, "/v2/load") == 0 || strcmp(path, "/v2/link/probe") == 0) {
        standin_carry(s, x);
    } else if (strstr(path, "/profile")) {
        standin_profile(s, x);
    } else if (strstr(path, "/1/chain")) {
        standin_chain(s, x);
    } else if (strstr(path, "/prepare")) {
        atomic_fetch_add(&s->prepares, 1);
        standin_say(x, s->bad_prepare ? 400 : 200, clv_strdup("{\"error\": \"told to refuse\"}"));
    } else if (strcmp(method, "PUT") == 0) {
        standin_push(s, x);
    } else {
        standin_model(s, x);
    }
}

static inline void standin_gone(void *ctx, clv_exchange *x)
{
    standin *s = ctx;
    (void)x;
    atomic_fetch_add(&s->gone, 1);
}

static const clv_http_handler standin_handler = {.request = standin_request, .gone = standin_gone};

static inline void standin_start(standin *s, size_t best)
{
    clv_error err = {0};
    *s = (standin){.engine = counting_new(), .best = best, .has_model = true};
    atomic_store(&s->protocol, CLV_PEER_PROTOCOL);
    assert_ok(clv_dir_temp("standin", &s->folder, &err), err);
    s->network = open_chain(s->folder, s->engine);
    node_start(&s->n, (clv_http_server_options){0}, &standin_handler, s);
}

static inline void standin_answer_held(void *arg)
{
    standin *s = arg;
    for (size_t i = 0; i < s->n_held; i++)
        clv_grpc_respond_error(s->held[i], CLV_EUNAVAIL, "the test is over");
    s->n_held = 0;
}

static inline void standin_come_back_step(void *arg)
{
    standin *s = arg;
    clv_error err = {0};
    standin_answer_held(s);
    clv_http_server_options o = {.host = "127.0.0.1", .port = s->n.port};
    assert_ok(clv_http_server_new(s->n.loop, &o, &standin_handler, s, &s->n.server, &err), err);
}

static inline void standin_release_step(void *arg)
{
    standin *s = arg;
    for (size_t i = 0; i < s->n_held; i++) standin_tail(s, s->held[i], ANSWER_RIGHT);
    s->n_held = 0;
}

/* After a stall: all that were held are answered rightly, or with an error. */
static inline void standin_release(standin *s)
{
    atomic_store(&s->answer, ANSWER_RIGHT);
    clv_loop_post(s->n.loop, standin_release_step, s);
}

static inline void standin_fail_held(standin *s)
{
    clv_loop_post(s->n.loop, standin_answer_held, s);
}

/* After a death: the same address, right answers. */
static inline void standin_come_back(standin *s)
{
    atomic_store(&s->answer, ANSWER_RIGHT);
    clv_loop_post(s->n.loop, standin_come_back_step, s);
}

static inline void standin_stop(standin *s)
{
    clv_loop_post(s->n.loop, standin_answer_held, s);
    await(!s->carried);
    node_stop(&s->n);
    clv_network_unref(s->network);
    clv_engine_free(&s->engine->base);
    clv_dir_remove(s->folder);
    free(s->folder);
}

#endif
