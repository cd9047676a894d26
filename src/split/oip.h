/* The two messages of the Open Inference Protocol that carry tensors, ModelInferRequest and
 * ModelInferResponse, as bytes of gRPC. Pure functions: no sockets, no clock.
 *
 *     node A: clv_oip_encode_question() -> slices -> clv_grpc_client_call()
 *     node B: clv_grpc_message() -> clv_oip_decode_question() -> a clv_request -> ...
 *             ... -> clv_oip_encode_answer() -> slices -> clv_grpc_respond()
 *     node A: clv_oip_decode_answer() -> tensors
 *
 * Nothing is copied on the way when both are cleave: the encoder's slices point at the tensors' own
 * memory, the decoder's tensors are views into the received body and keep it alive. To make that
 * legal for every dtype, the encoder puts padding (an unknown field, which every protobuf reader
 * skips) before each raw tensor, so that it starts at a multiple of CLV_OIP_ALIGN in a body that
 * begins with gRPC's five bytes. From other senders a tensor may be misaligned for its element
 * size; then, and only then, it is copied.
 *
 * Layout of an encoded message:
 *
 *     [model, version, id, parameters, tensors' names and shapes, wanted] [pad, tag, length] [raw
 * 0] [pad, tag, length] [raw 1] ...
 *
 * Parameters (docs/protocol.md): questions carry `timeout` (us), `cleave_digest`,
 * `cleave_patient`, `cleave_local_only`, `cleave_route`; answers carry `cleave_trip`, `cleave_crossed`,
 * `cleave_plan`, `cleave_recovered`, `cleave_shared` and `cleave_<field>` for every field of CLV_TIMING_MAP, as seen
 * by the node that answers.
 *
 * An input whose raw contents are an encoding (tensor/codec.h) has a parameter of its own,
 * `cleave_codec`. It keeps its name, datatype and shape, and becomes a tensor that is `coded`:
 * nothing is decoded here. Its text is for people: the encoding itself says what it is. Outputs are
 * never coded.
 *
 * Limits: CLV_OIP_TENSORS_MAX tensors, CLV_NAME_MAX bytes a name, CLV_RANK_MAX dimensions. Memory
 * taken by decoding is in proportion to the message (typed contents: at most eight times).
 */
#ifndef CLV_SPLIT_OIP_H
#define CLV_SPLIT_OIP_H

#include "net/http.h"
#include "split/request.h"

enum {
    CLV_OIP_TENSORS_MAX = 1024, /* of one message, and wanted outputs */
    CLV_OIP_ALIGN = 64,         /* of a raw tensor in the body */
    CLV_OIP_PAD_FIELD = 1999,   /* number of the unknown field that pads */
};
#define CLV_OIP_CODEC  "cleave_codec"
#define CLV_OIP_METHOD "/inference.GRPCInferenceService/ModelInfer"

/* Version of what nodes say to each other beyond the protocol's own: parameters, profile, prepare,
 * push. A node tells it with a model's metadata; nodes of different versions do not share work. */
enum { CLV_PEER_PROTOCOL = 2 };

/* A received message. Tensors refer to `owner` and keep it; with owner NULL they borrow, and the
 * bytes must outlive them. */
typedef struct clv_oip_bytes {
    const void *data;
    size_t bytes;
    clv_body *owner;
} clv_oip_bytes;

/* A message to be sent. The slices' releases belong to whoever sends them (all of them must be
 * called); clv_oip_message_done() frees the array only. */
typedef struct clv_oip_message {
    clv_slice *slices;
    size_t n, bytes;
} clv_oip_message;
void clv_oip_message_done(clv_oip_message *m);

/* What one node asks of another; everything is borrowed for the call, except the inputs' data. */
typedef struct clv_oip_question {
    const char *model, *version, *id, *digest; /* NULL or "": left out */
    const clv_tensor *inputs;
    size_t n_inputs;
    const char *codec;         /* what to call that of coded inputs; NULL: "?" */
    const char *const *wanted; /* names of outputs; none: all */
    size_t n_wanted;
    int64_t timeout_us; /* what is left until the deadline; 0: none */
    bool patient;       /* the call's deadline is how long this node waits, and orders nothing */
    bool local_only;    /* the peer must not hand it on */
    bool explain;       /* the answer is to say what was predicted */
    const char *route;  /* but for this: split/itinerary.h. NULL or "": left out */
} clv_oip_question;

/* `release(owner)` is called once, when the last slice has been released: until then the inputs'
 * data must live, whatever becomes of the call. May be NULL. */
clv_oip_message clv_oip_encode_question(const clv_oip_question *q, void (*release)(void *owner),
                                        void *owner);

/* Received bytes as a tensor: a view that keeps `owner` (which may be NULL), or a copy where an
 * element would be misaligned. CLV_EINVAL: bytes, dtype and shape disagree. */
CLV_MUST
clv_status clv_oip_tensor(const char *name, clv_dtype dtype, const clv_shape *shape,
                          const clv_oip_bytes *raw, clv_tensor *out, clv_error *err);

/* A ModelInferRequest as a request with `accepted_us` set to now_us and the deadline to now_us plus
 * its `timeout`; `done` is for the caller to set. CLV_EINVAL (malformed, or shape, dtype and data
 * disagree; names the tensor), CLV_ELIMIT. */
CLV_MUST
clv_status clv_oip_decode_question(const clv_oip_bytes *in, int64_t now_us, clv_request **out,
                                   clv_error *err);

/* The answer to `take` (error CLV_OK): its outputs, timing, plan. The slices own the request and
 * free it. */
clv_oip_message clv_oip_encode_answer(clv_request *take);

typedef struct clv_oip_answer {
    char *model, *version, *id; /* owned, never NULL */
    clv_tensors outputs;
    clv_timing timing; /* of the node that answered: its wait_us is the asker's queue_us, its
                          edge_us the asker's cloud_us; 0 where it said nothing */
    clv_trip trip;     /* the node that answered, then those behind it; n 0: it did not say */
    clv_prediction predicted; /* of the node that answered; known only if it was asked to explain */
    clv_crossings crossed;    /* from the node that answered to the next one, and so on */
    char plan[128], recovered[160];
    bool shared; /* as in clv_request */
} clv_oip_answer;
/* CLV_EPROTO where a question would be CLV_EINVAL: it is the peer's fault. */
CLV_MUST
clv_status clv_oip_decode_answer(const clv_oip_bytes *in, clv_oip_answer *out, clv_error *err);
void clv_oip_answer_done(clv_oip_answer *a);

#endif
