/* The help that an option table prints. */
#include "base/buf.h"
#include "base/opt.h"

#include <string.h>

#define FLAG_COLUMN_MAX 34 /* longer flags put their text on a line of its own */

static const char *const value_names[] = {
    [CLV_OPT_FLAG] = "",     [CLV_OPT_INT] = "N",      [CLV_OPT_REAL] = "X",
    [CLV_OPT_TEXT] = "TEXT", [CLV_OPT_SIZE] = "SIZE",  [CLV_OPT_RATE] = "RATE",
    [CLV_OPT_LIST] = "LIST", [CLV_OPT_DURATION] = "T", [CLV_OPT_CHOICE] = "",
};
_Static_assert(CLV_COUNT(value_names) == CLV_OPT_LIST + 1, "a name for every type");

/* "  -c, --config FILE" */
static void print_flag(clv_buf *out, const clv_opt *opt)
{
    if (opt->letter)
        clv_buf_printf(out, "  -%c, --%s", opt->letter, opt->name);
    else
        clv_buf_printf(out, "      --%s", opt->name);
    const char *value = opt->arg                                      ? opt->arg
                        : opt->type == CLV_OPT_CHOICE && opt->choices ? opt->choices
                                                                      : value_names[opt->type];
    if (*value) clv_buf_printf(out, " %s", value);
}

static void print_line(FILE *out, const clv_opt *opt, size_t column)
{
    CLV_AUTO(clv_buf_done) clv_buf line = {0};
    print_flag(&line, opt);
    if (line.len > column)
        clv_buf_printf(&line, "\n%*s", (int)column, "");
    else
        clv_buf_printf(&line, "%*s", (int)(column - line.len), "");
    clv_buf_printf(&line, "  %s", opt->help ? opt->help : "");
    if (opt->fallback && *opt->fallback && opt->type != CLV_OPT_FLAG)
        clv_buf_printf(&line, " (default %s)", opt->fallback);
    if (opt->type == CLV_OPT_FLAG && opt->fallback && strcmp(opt->fallback, "true") == 0)
        clv_buf_printf(&line, " (default on, --no-%s)", opt->name);
    if (opt->env) clv_buf_printf(&line, " [$%s]", opt->env);
    fprintf(out, "%s\n", line.data);
}

void clv_opt_help(FILE *out, const clv_opt_set *sets, size_t n_sets)
{
    size_t column = 0;
    for (size_t i = 0; i < n_sets; i++) {
        for (size_t j = 0; j < sets[i].n; j++) {
            CLV_AUTO(clv_buf_done) clv_buf flag = {0};
            print_flag(&flag, &sets[i].opts[j]);
            if (flag.len <= FLAG_COLUMN_MAX) column = CLV_MAX(column, flag.len);
        }
    }
    for (size_t i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sets[i].n; j++) print_line(out, &sets[i].opts[j], column);
}
