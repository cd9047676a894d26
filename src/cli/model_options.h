/* The options of every command that opens one model, and the opening.
 *
 *     clv_model_options model = {0};
 *     const clv_opt_set sets[] = {..., {clv_model_opts, clv_model_opts_n, &model}};
 *     ... clv_cli_begin() ...
 *     clv_network *net;
 *     clv_model_open(args.argv[0], &model, engine, &at, &net, &err);
 *     clv_network_unref(net);
 *     clv_located_done(&at);
 *     clv_opt_done(sets, CLV_COUNT(sets));   // the list of --dim
 */
#ifndef CLV_CLI_MODEL_OPTIONS_H
#define CLV_CLI_MODEL_OPTIONS_H

#include "base/opt.h"
#include "repo/locate.h"
#include "repo/network.h"

typedef struct clv_model_options {
    const char *repository;
    clv_text_list dims;
} clv_model_options;

extern const clv_opt clv_model_opts[];
extern const size_t clv_model_opts_n;

/* Finds the model (repo/locate.h) and opens it for `engine`. The caller frees `at` and unrefs
 * `net`; on failure there is nothing to free. */
CLV_MUST
clv_status clv_model_open(const char *model, const clv_model_options *o, clv_engine *engine,
                          clv_located *at, clv_network **net, clv_error *err);

#endif
