/* The help that an option table prints. */
#include "base/buf.h"
#include "base/opt.h"

#include <string.h>

#define FLAG_COLUMN_MAX 34 /* longer flags put their text on a line of its own */
#define HELP_COLUMNS    100

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

/* The words of `text`, the first of them at the end of `out`, each further line from `column` on. */
static void add_wrapped(clv_buf *out, const char *text, size_t column)
{
    size_t at = column;
    for (bool first = true; *(text += strspn(text, " \n")); first = false) {
        size_t n = strcspn(text, " \n");
        if (!first && at + 1 + n > HELP_COLUMNS) {
            clv_buf_printf(out, "\n%*s", (int)column, "");
            at = column;
        } else if (!first) {
            clv_buf_char(out, ' ');
            at++;
        }
        clv_buf_add(out, text, n);
        at += n;
        text += n;
    }
}

void clv_opt_help_text(FILE *out, const char *text)
{
    CLV_AUTO(clv_buf_done) clv_buf lines = {0};
    add_wrapped(&lines, text, 0);
    fprintf(out, "%s\n", lines.data);
}

static void print_option(FILE *out, const clv_opt *opt, size_t column)
{
    CLV_AUTO(clv_buf_done) clv_buf lines = {0}, text = {0};
    print_flag(&lines, opt);
    if (lines.len > column)
        clv_buf_printf(&lines, "\n%*s", (int)column, "");
    else
        clv_buf_printf(&lines, "%*s", (int)(column - lines.len), "");
    clv_buf_text(&lines, "  ");
    clv_buf_text(&text, opt->help ? opt->help : "");
    if (opt->fallback && *opt->fallback && opt->type != CLV_OPT_FLAG)
        clv_buf_printf(&text, " (default %s)", opt->fallback);
    if (opt->type == CLV_OPT_FLAG && opt->fallback && strcmp(opt->fallback, "true") == 0)
        clv_buf_printf(&text, " (default on, --no-%s)", opt->name);
    if (opt->env) clv_buf_printf(&text, " [$%s]", opt->env);
    add_wrapped(&lines, text.data, column + 2);
    fprintf(out, "%s\n", lines.data);
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
        for (size_t j = 0; j < sets[i].n; j++) print_option(out, &sets[i].opts[j], column);
}
