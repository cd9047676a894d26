#include "cli/progress.h"
#include "base/buf.h"
#include "base/clock.h"
#include "cli/text.h"

#include <stdbool.h>
#include <stdlib.h>

#define DRAW_EVERY_US 100000

struct clv_progress {
    FILE *out; /* NULL: not a terminal, nothing is drawn */
    const char *label;
    size_t total;
    int64_t drawn_us;
    bool on_screen;
};

clv_progress *clv_progress_new_on(FILE *out, const char *label, size_t total)
{
    clv_progress *p = clv_alloc(sizeof *p);
    *p = (clv_progress){.label = label, .total = total, .drawn_us = -DRAW_EVERY_US};
    if (clv_terminal_columns(out)) p->out = out;
    return p;
}

clv_progress *clv_progress_new(const char *label, size_t total)
{
    return clv_progress_new_on(stderr, label, total);
}

void clv_progress_show(clv_progress *p, size_t done, const char *fmt, ...)
{
    int64_t now_us = clv_now_us();
    if (!p->out || now_us - p->drawn_us < DRAW_EVERY_US) return;
    p->drawn_us = now_us;
    CLV_AUTO(clv_buf_done) clv_buf line = {0};
    clv_buf_printf(&line, "%s  ", p->label);
    if (p->total) clv_buf_printf(&line, "%3zu%%  ", 100 * CLV_MIN(done, p->total) / p->total);
    va_list ap;
    va_start(ap, fmt);
    clv_buf_vprintf(&line, fmt, ap);
    va_end(ap);
    size_t room = clv_terminal_columns(p->out); /* read each time: windows change */
    size_t fits = clv_text_fit(line.data, room > 1 ? room - 1 : 1);
    fprintf(p->out, "\r%.*s\033[K", (int)fits, line.data);
    fflush(p->out);
    p->on_screen = true;
}

void clv_progress_clear(clv_progress *p)
{
    if (!p->on_screen) return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->on_screen = false;
    p->drawn_us = -DRAW_EVERY_US;
}

void clv_progress_free(clv_progress *p)
{
    if (!p) return;
    clv_progress_clear(p);
    free(p);
}
