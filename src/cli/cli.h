/* What every subcommand shares.
 *
 * A subcommand is one function in cmd_NAME.c and one row in commands.def:
 *
 *     clv_status clv_cmd_zoo(clv_args *args, clv_error *err)
 *     {
 *         zoo_options o = {0};
 *         const clv_opt_set sets[] = {{zoo_opts, CLV_COUNT(zoo_opts), &o}};
 *         bool help;
 *         if (clv_cli_begin(&zoo_about, sets, CLV_COUNT(sets), args, &help, err)) return
 * err->status; if (help) return CLV_OK;
 *         ...
 *     }
 *
 * Results go to standard output, progress and errors to standard error. main() prints the error in
 * one line and turns it into the exit status: 0, 1 (failed) or 2 (CLV_EUSAGE).
 */
#ifndef CLV_CLI_CLI_H
#define CLV_CLI_CLI_H

#include "base/opt.h"

typedef struct clv_cli_about {
    const char *usage;    /* "cleave zoo [NAME...] -o DIR" */
    const char *text;     /* a paragraph: what it does */
    const char *examples; /* lines, each a command with what it shows */
    size_t positionals_min, positionals_max;
} clv_cli_about;

/* Defaults, flags, --help and the number of positionals, for every subcommand alike. */
CLV_MUST
clv_status clv_cli_begin(const clv_cli_about *about, const clv_opt_set *sets, size_t n_sets,
                         clv_args *args, bool *help, clv_error *err);

#define X(name, summary) clv_status clv_cmd_##name(clv_args *args, clv_error *err);
#include "cli/commands.def"
#undef X

#endif
