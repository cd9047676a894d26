/* What both protocols tell of a model. */
#ifndef CLV_API_METADATA_H
#define CLV_API_METADATA_H

#include "serve/server.h"

#define CLV_API_NAME     "cleave"
#define CLV_API_PLATFORM "onnx_onnxv1"
/* OIP extensions that this server speaks. */
#define CLV_API_EXTENSION_MAP(X) X("binary_tensor_data") X("cleave_split") X("model_repository")

typedef struct clv_metadata {
    clv_model_info info;
    clv_text_list versions;                  /* all of the model's */
    const clv_tensor_spec *inputs, *outputs; /* of info.network */
    size_t n_inputs, n_outputs;
} clv_metadata;

/* CLV_ENOTFOUND; CLV_EUNAVAIL with the reason for a model that is not ready. */
CLV_MUST
clv_status clv_metadata_get(clv_server *server, const char *model, const char *version,
                            clv_metadata *out, clv_error *err);
void clv_metadata_done(clv_metadata *m);

#endif
