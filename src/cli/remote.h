/* A node asked from the command line: one call at a time, waited for.
 *
 *     clv_remote *node;
 *     clv_remote_open(&(clv_remote_options){.url = "http://10.0.0.2:8000"}, &node, &err);
 *     clv_remote_model m;
 *     clv_remote_describe(node, "resnet18", NULL, &m, &err);       // what it wants
 *     clv_remote_infer(node, &question, &answer, &err);            // cli/outcome.h
 *     clv_remote_model_done(&m);
 *     clv_remote_free(node);
 *
 * Everything goes over one HTTP/2 connection as gRPC (Open Inference Protocol), the metadata too:
 * servers that are not cleave have their REST interface on another port, or none. The connection is
 * made by the first call, so that the time to make it is not in an inference's.
 *
 * Errors name the node's address, then what it said. Threads: one; it owns a loop. */
#ifndef CLV_CLI_REMOTE_H
#define CLV_CLI_REMOTE_H

#include "cli/outcome.h"
#include "cost/profile.h"
#include "net/http.h"
#include "tensor/codec.h"

enum { CLV_REMOTE_SPECS_MAX = 1024 };

typedef struct clv_remote clv_remote;

typedef struct clv_remote_options {
    const char *url;
    clv_tls_options tls; /* for https */
    const char *token;   /* NULL: none */
    int64_t timeout_us;  /* of each call, sent along as its deadline; 0: none */
} clv_remote_options;

/* Does not connect yet. CLV_EUSAGE: the address; else a certificate or key that cannot be used.
 * What `options` points to must outlive the remote. */
CLV_MUST
clv_status clv_remote_open(const clv_remote_options *options, clv_remote **out, clv_error *err);
void clv_remote_free(clv_remote *r); /* NULL is fine */

/* What a node tells of a model. */
typedef struct clv_remote_model {
    clv_tensor_spec *inputs; /* owned, with their names */
    size_t n_inputs;
    char *version; /* newest or the one asked for; NULL if the node tells none; owned */
} clv_remote_model;
/* CLV_EAUTH, CLV_ENOTFOUND, CLV_EUNAVAIL, CLV_EPROTO, CLV_ETIMEOUT */
CLV_MUST
clv_status clv_remote_describe(clv_remote *r, const char *model, const char *version,
                               clv_remote_model *out, clv_error *err);
void clv_remote_model_done(clv_remote_model *m);
/* A ModelMetadataResponse; for tests and fuzzing. */
CLV_MUST
clv_status clv_remote_model_parse(const void *bytes, size_t n, clv_remote_model *out,
                                  clv_error *err);

/* Which version of what cleave nodes say to each other (CLV_PEER_PROTOCOL, split/oip.h) the node
 * speaks; 0: it is no cleave, or an old one. Over HTTP, as what follows. */
CLV_MUST
clv_status clv_remote_protocol(clv_remote *r, const char *model, const char *version, int *out,
                               clv_error *err);
/* What the model costs on the node. It may have to measure that first: CLV_ETIMEOUT. */
CLV_MUST
clv_status clv_remote_profile(clv_remote *r, const char *model, const char *version,
                              clv_profile **out, clv_error *err);

/* One inference. `inputs` must live until the remote is freed. `*out` is zeroed before; the caller
 * calls clv_outcome_done(). */
typedef struct clv_remote_question {
    const char *model, *version; /* version NULL: newest */
    const clv_tensors *inputs;
    bool explain;    /* ask what the node's plan predicted */
    clv_codec codec; /* to write the inputs in, other than raw only for a cleave node */
} clv_remote_question;
CLV_MUST
clv_status clv_remote_infer(clv_remote *r, const clv_remote_question *q, clv_outcome *out,
                            clv_error *err);

#endif
