/* Options as a table: each setting is declared once, and the table makes the flag, the key of the
 * configuration file, the environment variable, the help line and the checks.
 *
 *     typedef struct relay_options {
 *         double rate_bytes_per_s;
 *         int64_t rtt_us;
 *         bool quiet;
 *     } relay_options;
 *     static const clv_opt relay_opts[] = {
 *         CLV_OPT(relay_options, rate_bytes_per_s, RATE, "rate", "1Gbit", .help = "of each way"),
 *         CLV_OPT(relay_options, rtt_us, DURATION, "rtt", "1ms", .help = "round trip time"),
 *         CLV_OPT(relay_options, quiet, FLAG, "quiet", NULL, .help = "print nothing"),
 *     };
 *     relay_options o;
 *     const clv_opt_set sets[] = {{relay_opts, CLV_COUNT(relay_opts), &o}};
 *     clv_opt_defaults(sets, 1, &err);
 *     clv_opt_parse(sets, 1, &args, false, &err);
 *
 * Field types:  FLAG bool | INT int64_t | REAL double | TEXT const char * (points into argv, the
 * fallback, or text that the caller keeps) | SIZE int64_t bytes | RATE double bytes/s | DURATION
 * int64_t us | CHOICE int (index into `choices`) | LIST clv_text_list (the flag may be repeated;
 * commas split) | TEXTS clv_text_list (the flag may be repeated; commas are part of a value).
 * Unknown, repeated-but-single, missing-value and out-of-range options are CLV_EUSAGE errors that
 * name the flag, the value and what would be right; an unknown flag suggests the nearest known one.
 */
#ifndef CLV_BASE_OPT_H
#define CLV_BASE_OPT_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum clv_opt_type {
    CLV_OPT_FLAG,
    CLV_OPT_INT,
    CLV_OPT_REAL,
    CLV_OPT_TEXT,
    CLV_OPT_SIZE,
    CLV_OPT_RATE,
    CLV_OPT_DURATION,
    CLV_OPT_CHOICE,
    CLV_OPT_LIST,
    CLV_OPT_TEXTS
} clv_opt_type;

typedef struct clv_text_list {
    char **items; /* owned */
    size_t n, cap;
} clv_text_list;

typedef struct clv_opt {
    const char *name; /* long flag without dashes, also the key of the configuration file */
    clv_opt_type type;
    size_t offset; /* of the field in the options struct */
    /* default as text, parsed like a value; NULL: zero, false, NULL or empty */
    const char *fallback;
    char letter; /* short flag, or 0 */
    /* what help shows for the value, e.g. "DIR"; NULL: a name made from the type */
    const char *arg;
    const char *env;     /* environment variable that replaces the fallback, or NULL */
    const char *choices; /* CHOICE: "exact|edge|cloud" */
    double min, max;  /* INT, REAL, SIZE, RATE, DURATION in base units; both 0: no bounds (but never
                         negative) */
    const char *help; /* one line */
} clv_opt;

#define CLV_OPT(type_, field_, kind_, name_, fallback_, ...)                                       \
    {                                                                                              \
        .name = (name_), .type = CLV_OPT_##kind_, .offset = offsetof(type_, field_),               \
        .fallback = (fallback_), __VA_ARGS__                                                       \
    }

/* What is left of argv: set before to the arguments (without the program's name), after parsing to
 * the positionals. */
typedef struct clv_args {
    char **argv;
    int argc;
} clv_args;

/* Several tables may describe one command (its own and its rooms'): parse them as one set. */
typedef struct clv_opt_set {
    const clv_opt *opts;
    size_t n;
    void *target; /* the options struct of this table */
} clv_opt_set;

/* Set every field from fallback or environment. Errors: an environment value that does not parse.
 */
CLV_MUST
clv_status clv_opt_defaults(const clv_opt_set *sets, size_t n_sets, clv_error *err);
/* Parse flags ("--name value", "--name=value", "-x value", "--no-name" for FLAG). Positionals are
 * compacted to the front of args->argv and args->argc is their number; "--" ends flags and is
 * removed, what follows it is positional. With `stop_at_first` parsing ends at the first positional
 * (for commands that run commands). */
CLV_MUST
clv_status clv_opt_parse(const clv_opt_set *sets, size_t n_sets, clv_args *args, bool stop_at_first,
                         clv_error *err);
/* Set one option by name, as from a configuration file. CLV_ENOTFOUND for an unknown name. */
CLV_MUST
clv_status clv_opt_set_value(const clv_opt_set *sets, size_t n_sets, const char *name,
                             const char *value, clv_error *err);
/* Print the options one below the other: "  -c, --config FILE   text (default X)", texts aligned and
 * wrapped at 100 columns. */
void clv_opt_help(FILE *out, const clv_opt_set *sets, size_t n_sets);
/* Print a text, which is not empty, wrapped likewise. */
void clv_opt_help_text(FILE *out, const char *text);
/* Free the lists in the targets. */
void clv_opt_done(const clv_opt_set *sets, size_t n_sets);

void clv_text_list_add(clv_text_list *list, const char *text, size_t n);
void clv_text_list_done(clv_text_list *list);

#endif
