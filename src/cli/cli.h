/* What every subcommand shares.
 *
 * A subcommand is one function in cmd_NAME.c and one row in commands.def:
 *
 *     clv_status clv_cmd_zoo(clv_args *args, clv_error *err)
 *     {
 *         zoo_options o = {0};
 *         const clv_opt_set sets[] = {{zoo_opts, CLV_COUNT(zoo_opts), &o}};
 *         bool help;
 *         clv_status status = clv_cli_begin(&zoo_about, sets, CLV_COUNT(sets), args, &help, err);
 *         if (status || help) return status;
 *         ... args->argv[0 .. args->argc) are the positionals ...
 *         clv_opt_done(sets, CLV_COUNT(sets));   // when a table has lists
 *     }
 *
 * Results go to standard output, progress and errors to standard error. main() prints the error in
 * one line, "cleave NAME: text", and turns it into the exit status: 0, 1 (failed) or 2
 * (CLV_EUSAGE). SIGPIPE is ignored: a reader that closed early ends the program when its output is
 * flushed, with status 1 and without a message. */
#ifndef CLV_CLI_CLI_H
#define CLV_CLI_CLI_H

#include "base/opt.h"

typedef struct clv_cli_about {
    const char *usage;    /* "cleave zoo [NAME...] -o DIR" */
    const char *text;     /* a paragraph: what it does */
    const char *examples; /* lines, each a command with what it shows */
    size_t positionals_min, positionals_max;
    bool stop_at_first; /* what follows the first positional is not ours: a command to run */
} clv_cli_about;

/* Defaults, flags, --help and the number of positionals, for every subcommand alike. When it fails
 * or has printed the help, the lists of `sets` are freed already. */
CLV_MUST
clv_status clv_cli_begin(const clv_cli_about *about, const clv_opt_set *sets, size_t n_sets,
                         clv_args *args, bool *help, clv_error *err);

/* The whole program: finds the subcommand, runs it, prints its error; the exit status. */
int clv_cli_run(int argc, char **argv);

#define X(name, summary) clv_status clv_cmd_##name(clv_args *args, clv_error *err);
#include "cli/commands.def"
#undef X

#endif
