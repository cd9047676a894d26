#include "api/metadata.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void add_versions(clv_server *server, const char *name, clv_text_list *versions)
{
    size_t n;
    clv_model_info *all = clv_server_models(server, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i].name, name) == 0)
            clv_text_list_add(versions, all[i].version, strlen(all[i].version));
        clv_model_info_done(&all[i]);
    }
    free(all);
}

clv_status clv_metadata_get(clv_server *server, const char *model, const char *version,
                            clv_metadata *out, clv_error *err)
{
    clv_metadata m = {0};
    clv_status st = clv_server_model(server, model, version, &m.info, err);
    if (st) return st;
    if (!m.info.ready || !m.info.network) {
        st = clv_fail(err, CLV_EUNAVAIL, "model '%s' is not ready: %s", model,
                      m.info.reason ? m.info.reason : "it is still loading");
        clv_metadata_done(&m);
        return st;
    }
    m.inputs = clv_network_inputs(m.info.network, &m.n_inputs);
    m.outputs = clv_network_outputs(m.info.network, &m.n_outputs);
    add_versions(server, model, &m.versions);
    *out = m;
    return CLV_OK;
}

void clv_metadata_done(clv_metadata *m)
{
    clv_model_info_done(&m->info);
    clv_text_list_done(&m->versions);
    *m = (clv_metadata){0};
}
