#include "cli/table.h"
#include "base/buf.h"
#include "cli/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define GAP         2 /* blanks between columns */
#define COLUMNS_MIN 8 /* a column is not cut below this */

struct clv_table {
    const clv_column *columns;
    size_t n;
    char **cells; /* row by row */
    size_t n_cells, cap;
};

clv_table *clv_table_new(const clv_column *columns, size_t n)
{
    clv_table *t = clv_alloc(sizeof *t);
    *t = (clv_table){.columns = columns, .n = n};
    return t;
}

void clv_table_cell(clv_table *t, const char *fmt, ...)
{
    clv_grow(&t->cells, &t->cap, t->n_cells + 1, sizeof *t->cells);
    va_list ap;
    va_start(ap, fmt);
    clv_buf text = {0};
    clv_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    t->cells[t->n_cells++] = clv_buf_take(&text);
}

/* Widths that show everything, then the widest left column gives until a line fits `room`. */
static void measure(const clv_table *t, size_t room, size_t *widths)
{
    size_t total = GAP * (t->n - 1), widest = t->n;
    for (size_t i = 0; i < t->n; i++) {
        widths[i] = clv_text_columns(t->columns[i].head);
        for (size_t j = i; j < t->n_cells; j += t->n)
            widths[i] = CLV_MAX(widths[i], clv_text_columns(t->cells[j]));
        total += widths[i];
        if (t->columns[i].align == CLV_LEFT && (widest == t->n || widths[i] > widths[widest]))
            widest = i;
    }
    if (!room || total <= room || widest == t->n) return;
    size_t over = total - room;
    size_t least = CLV_MAX((size_t)COLUMNS_MIN, clv_text_columns(t->columns[widest].head));
    if (widths[widest] > least)
        widths[widest] = CLV_MAX(least, widths[widest] - CLV_MIN(over, widths[widest]));
}

static void pad(clv_buf *line, size_t n)
{
    clv_buf_printf(line, "%*s", (int)n, "");
}

static void add_cell(clv_buf *line, const char *text, size_t width, clv_align align, bool last)
{
    size_t columns = clv_text_columns(text);
    if (columns > width) {
        clv_buf_add(line, text, clv_text_fit(text, width - 1));
        clv_buf_text(line, "\u2026");
        columns = width;
    } else {
        if (align == CLV_RIGHT) pad(line, width - columns);
        clv_buf_text(line, text);
    }
    if (last) return;
    if (align == CLV_LEFT) pad(line, width - columns);
    pad(line, GAP);
}

static void print_row(const clv_table *t, const size_t *widths, char *const *cells, size_t n_cells,
                      FILE *out)
{
    CLV_AUTO(clv_buf_done) clv_buf line = {0};
    for (size_t i = 0; i < t->n; i++) {
        const char *text = !cells ? t->columns[i].head : i < n_cells ? cells[i] : "";
        add_cell(&line, text, widths[i], t->columns[i].align, i + 1 == t->n);
    }
    while (line.len && line.data[line.len - 1] == ' ') line.data[--line.len] = 0;
    fputs(line.data, out);
}

void clv_table_print(const clv_table *t, FILE *out)
{
    if (!t->n) return;
    size_t room = clv_terminal_columns(out);
    CLV_AUTO(clv_free) size_t *widths = clv_alloc_array(t->n, sizeof *widths);
    measure(t, room, widths);
    const char *no_color = getenv("NO_COLOR");
    bool bold = room && !(no_color && *no_color);
    if (bold) fputs("\033[1m", out);
    print_row(t, widths, NULL, 0, out);
    fputs(bold ? "\033[0m\n" : "\n", out);
    for (size_t i = 0; i < t->n_cells; i += t->n) {
        print_row(t, widths, t->cells + i, t->n_cells - i, out);
        fputc('\n', out);
    }
}

void clv_table_free(clv_table *t)
{
    if (!t) return;
    for (size_t i = 0; i < t->n_cells; i++) free(t->cells[i]);
    free(t->cells);
    free(t);
}
