#include "cli/model_options.h"

#include "base/mem.h"

const clv_opt clv_model_opts[] = {
    CLV_OPT(clv_model_options, repository, TEXT, "models", NULL, .arg = "DIR",
            .help = "repository in which a bare model name is looked up"),
    CLV_OPT(clv_model_options, dims, LIST, "dim", NULL, .arg = "NAME=VALUE",
            .help = "value of a free dimension other than the batch"),
};
const size_t clv_model_opts_n = CLV_COUNT(clv_model_opts);

clv_status clv_model_open(const char *model, const clv_model_options *o, clv_engine *engine,
                          clv_located *at, clv_network **net, clv_error *err)
{
    clv_located found = {0};
    clv_status s = clv_locate(model, o->repository, &found, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(clv_free) const char **dims = clv_alloc_array(o->dims.n, sizeof *dims);
    for (size_t i = 0; i < o->dims.n; i++) dims[i] = o->dims.items[i];
    const clv_network_options options = {.dims = dims, .n_dims = o->dims.n};
    s = clv_network_open(found.path, engine, &options, net, err);
    if (s != CLV_OK)
        clv_located_done(&found);
    else
        *at = found;
    return s;
}
