/* The part of a request that the peer does: one ModelInfer of the Open Inference Protocol. */
#include "split/peer_priv.h"
#include "split/peer_times.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/grpc.h"
#include "split/oip.h"

#include <stdlib.h>

#define CLV_TRIP_SLACK_US 2000

/* Held by the call and by the message's slices. */
typedef struct ask {
    clv_peer *p;
    clv_peer_infer_args args; /* only done, release and arg are read after the call */
    atomic_int refs;
    size_t up_bytes;
    int64_t start_us, encode_us;
    clv_peer_ask way; /* for the link's estimate, while it lasts */
    clv_error denied; /* by the guard */
} ask;

static void ask_unref(ask *a)
{
    if (atomic_fetch_sub(&a->refs, 1) == 1) free(a);
}

static void on_released(void *arg)
{
    ask *a = arg;
    a->args.release(a->args.arg);
    ask_unref(a);
}

/* Silence is the link's while not all has gone up, as last looked. */
static size_t unsent_bytes(const ask *a)
{
    return a->way.turn.gone_us ? 0 : a->up_bytes;
}

static void finish(ask *a, clv_peer_answer *answer)
{
    answer->encode_us = a->encode_us;
    answer->up_bytes = a->up_bytes;
    answer->unsent_bytes = unsent_bytes(a);
    answer->total_us = clv_now_us() - a->start_us;
    atomic_fetch_sub(&a->p->in_flight, 1);
    clv_peer_ask_end(a->p, &a->way);
    a->args.done(a->args.arg, answer);
    ask_unref(a);
}

static void on_failed(ask *a, const clv_reply *reply, const clv_error *error)
{
    bool lost = reply->status == 0 && error->status != CLV_ECANCELED;
    if (lost) clv_peer_saw_loss(a->p, error, unsent_bytes(a), clv_now_us() - a->start_us);
    finish(a, &(clv_peer_answer){.error = error, .lost = lost});
}

/* What the peer says of the way behind it, unless it says more than there was time for. */
static void take_trip(const clv_oip_answer *got, int64_t elapsed_us, clv_peer_answer *answer)
{
    if (clv_trip_us(&got->trip) > elapsed_us + elapsed_us / 8 + CLV_TRIP_SLACK_US) return;
    answer->trip = got->trip;
    for (size_t k = 0; k < got->trip.n; k++) {
        const clv_trip_node *n = &got->trip.nodes[k];
        if (k + 1 < got->trip.n) answer->relay_us += n->encode_us + n->link_us + n->decode_us;
        if (k > 0) answer->relay_us += n->wait_us;
        answer->relay_us += n->lost_us;
    }
    answer->relay_us = CLV_MIN(answer->relay_us, answer->cloud_us);
    answer->cloud_us -= answer->relay_us;
}

/* Reading a codec is no computing: its time is known apart, where the rest of the network ran. */
static void take_decoding(const clv_oip_answer *got, clv_peer_answer *answer)
{
    size_t n = answer->trip.n;
    int64_t us = n ? answer->trip.nodes[n - 1].decode_us : got->timing.decode_us;
    us = CLV_MIN(us, answer->cloud_us);
    answer->decode_us += us;
    answer->cloud_us -= us;
}

static void on_reply(void *arg, const clv_reply *reply, const clv_error *error, clv_body *owner,
                     const void *message, size_t bytes)
{
    ask *a = arg;
    if (error) {
        on_failed(a, reply, error);
        return;
    }
    clv_error err = {0};
    clv_oip_answer got = {0};
    int64_t decode = clv_now_us();
    if (clv_oip_decode_answer(&(clv_oip_bytes){message, bytes, owner}, &got, &err)) {
        on_failed(a, reply, &err);
        return;
    }
    clv_peer_times times = clv_peer_times_of(&got.timing, reply->end_us - reply->start_us);
    if (times.fault)
        clv_peer_disbelieves(a->p, times.fault);
    else if (!reply->connect_us)
        clv_peer_ask_answered(a->p, &a->way, bytes, CLV_MAX(times.link_us, (int64_t)1));
    clv_peer_answer answer = {.outputs = &got.outputs,
                              .nonsense = times.fault != NULL,
                              .link_us = times.link_us,
                              .down_bytes = bytes,
                              .queue_us = times.queue_us,
                              .cloud_us = times.cloud_us,
                              .shared = got.shared,
                              .recovered = got.recovered,
                              .crossed = got.crossed,
                              .decode_us = clv_now_us() - decode};
    take_trip(&got, reply->end_us - reply->start_us, &answer);
    take_decoding(&got, &answer);
    finish(a, &answer);
    clv_oip_answer_done(&got);
}

static void on_denied(void *arg)
{
    ask *a = arg;
    finish(a, &(clv_peer_answer){.error = &a->denied, .withheld = true});
    on_released(a);
}

uint64_t clv_peer_infer(clv_peer *p, const clv_peer_infer_args *args)
{
    ask *a = clv_alloc(sizeof *a);
    *a = (ask){.p = p, .args = *args, .start_us = clv_now_us()};
    atomic_init(&a->refs, 2);
    atomic_fetch_add(&p->in_flight, 1);
    if (clv_guard_check(args->guard, args->cut, args->inputs, args->n_inputs, &a->denied)) {
        clv_loop_post(p->loop, on_denied, a);
        return 0;
    }
    clv_oip_message m = clv_oip_encode_question(&(clv_oip_question){.model = args->model,
                                                                    .version = args->version,
                                                                    .id = args->id,
                                                                    .digest = args->digest,
                                                                    .inputs = args->inputs,
                                                                    .n_inputs = args->n_inputs,
                                                                    .codec = args->codec,
                                                                    .wanted = args->wanted,
                                                                    .n_wanted = args->n_wanted,
                                                                    .patient = args->patient,
                                                                    .local_only = true,
                                                                    .route = args->route},
                                                on_released, a);
    a->up_bytes = m.bytes;
    a->encode_us = clv_now_us() - a->start_us;
    clv_peer_ask_begin(p, &a->way, m.bytes, args->expected_us);
    uint64_t call =
        clv_grpc_client_call(p->client, &(clv_grpc_call){.method = CLV_OIP_METHOD,
                                                         .message = m.slices,
                                                         .n_message = m.n,
                                                         .deadline_us = args->deadline_us,
                                                         .done = on_reply,
                                                         .arg = a});
    clv_oip_message_done(&m);
    return call;
}

void clv_peer_cancel(clv_peer *p, uint64_t call)
{
    clv_client_cancel(p->client, call);
}
