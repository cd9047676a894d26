/* A configuration file: YAML, a mapping of option names to values (lists for options that may
 * repeat). Flags win over it, it wins over defaults and environment. Unknown keys, repeated keys
 * and bad values are errors with file and line.
 *
 *     # cleave.yaml
 *     models: /srv/models
 *     peer: https://10.0.0.2:8000
 *     patience: 500ms
 */
#ifndef CLV_CLI_CONFIG_H
#define CLV_CLI_CONFIG_H

#include "cli/cli.h"

typedef struct clv_config {
    clv_text_list texts; /* values that options point into */
} clv_config;

/* As clv_cli_begin(), with the file that the option field `*file` names (one of the options of
 * `sets`) taken in between. Call clv_config_done() in every case, after the options were last
 * used. */
CLV_MUST
clv_status clv_config_begin(clv_config *config, const clv_cli_about *about, const clv_opt_set *sets,
                            size_t n_sets, const char *const *file, clv_args *args, bool *help,
                            clv_error *err);
/* Set the options that the file names; or its text, with the path for messages. */
CLV_MUST
clv_status clv_config_parse(clv_config *config, const char *path, const char *text, size_t n,
                            const clv_opt_set *sets, size_t n_sets, clv_error *err);
CLV_MUST
clv_status clv_config_read(clv_config *config, const char *path, const clv_opt_set *sets,
                           size_t n_sets, clv_error *err);
void clv_config_done(clv_config *config);

#endif
