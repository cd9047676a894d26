#include "cli/chart.h"
#include "cli/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define INK  CLV_SVG_INK
#define SOFT CLV_SVG_SOFT
#define GRID CLV_SVG_GRID
#define HALO "paint-order=\"stroke\" stroke=\"#ffffff\" stroke-width=\"4\" "

enum { LEFT = CLV_SVG_LEFT, RIGHT = 24, TOP = CLV_SVG_TOP, PANEL = 190, GAP = 46 };

typedef struct box {
    double x, y, w, h;
} box;

static void add_grid(clv_buf *svg, const box *b, double top)
{
    double step = clv_svg_tick_step(top, 5);
    for (int i = 0; i * step <= top * 1.0001; i++) {
        double y = b->y + b->h - b->h * i * step / top;
        char text[32];
        snprintf(text, sizeof text, "%.10g", i * step);
        clv_svg_line(svg, b->x, y, b->x + b->w, y, "stroke=\"" GRID "\"");
        clv_svg_text(svg, b->x - 6, y + 4, "text-anchor=\"end\" fill=\"" SOFT "\"", text);
    }
}

/* The height of bar i up to part `parts` of its stack. */
static double bar_height(const clv_chart_panel *p, size_t i, size_t parts)
{
    if (!p->stacks) return p->values[i];
    double sum = 0;
    for (size_t s = 0; s < parts; s++) sum += p->stacks[s][i];
    return sum;
}

static double largest(const clv_chart_panel *p, size_t n)
{
    double top = p->level;
    for (size_t i = 0; i < n; i++) {
        top = fmax(top, bar_height(p, i, p->n_stacks));
        if (p->marks) top = fmax(top, p->marks[i]);
    }
    return top > 0 ? top * 1.06 : 1;
}

/* A swatch and its text; returns where the next one may begin. */
static double add_legend(clv_buf *svg, double x, double y, const char *swatch, const char *text)
{
    clv_buf_printf(svg, "<g transform=\"translate(%.1f %.1f)\">%s</g>\n", x, y, swatch);
    clv_svg_text(svg, x + 16, y, "fill=\"" SOFT "\"", text);
    return x + 30 + 6.2 * (double)strlen(text);
}

static void add_legends(clv_buf *svg, const box *b, const clv_chart_panel *p)
{
    double x = b->x + 20 + 7.5 * (double)(strlen(p->title) + strlen(p->unit) + 3);
    char swatch[128];
    for (size_t i = 0; i < p->n_kinds && p->kind_names; i++) {
        snprintf(swatch, sizeof swatch,
                 "<rect x=\"0\" y=\"-9\" width=\"11\" height=\"10\" fill=\"%s\"/>",
                 clv_svg_colour((int)i));
        x = add_legend(svg, x, b->y - 10, swatch, p->kind_names[i]);
    }
    if (p->marks && p->marks_text)
        x = add_legend(svg, x, b->y - 10,
                       "<line x1=\"0\" y1=\"-4\" x2=\"12\" y2=\"-4\" stroke=\"" INK
                       "\" stroke-width=\"2\"/>",
                       p->marks_text);
    if (p->level > 0 && p->level_text)
        add_legend(svg, x, b->y - 10,
                   "<line x1=\"0\" y1=\"-4\" x2=\"12\" y2=\"-4\" stroke=\"" INK
                   "\" stroke-dasharray=\"4 3\"/>",
                   p->level_text);
}

static void add_bar(clv_buf *svg, const box *b, const clv_chart_panel *p, size_t i, double pitch,
                    double top)
{
    size_t parts = p->stacks ? p->n_stacks : 1;
    for (size_t s = 0; s < parts; s++) {
        double low = p->stacks ? b->h * bar_height(p, i, s) / top : 0;
        double high = b->h * bar_height(p, i, s + 1) / top;
        clv_buf_printf(
            svg, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"/>\n",
            b->x + pitch * ((double)i + 0.14), b->y + b->h - high, pitch * 0.72, high - low,
            clv_svg_colour(p->stacks  ? (int)s
                           : p->kinds ? p->kinds[i]
                                      : p->kind));
    }
}

/* A triangle above the bar that is pointed at, and what it is. */
static void add_pointer(clv_buf *svg, const box *b, const clv_chart_panel *p, double pitch,
                        double top)
{
    double x = b->x + pitch * ((double)p->marked - 0.5);
    double y = b->y + b->h - b->h * bar_height(p, p->marked - 1, p->n_stacks) / top - 4;
    clv_buf_printf(svg, "<path d=\"M%.1f %.1fl-5 -9h10z\" fill=\"" INK "\"/>\n", x, y);
    bool left = x > b->x + b->w / 2;
    if (p->marked_text)
        clv_svg_text(svg, x + (left ? -8 : 8), y - 2,
                     left ? HALO "text-anchor=\"end\" font-weight=\"bold\""
                          : HALO "font-weight=\"bold\"",
                     p->marked_text);
}

static void add_panel(clv_buf *svg, const box *b, const clv_chart_panel *p, size_t n)
{
    double top = largest(p, n), pitch = b->w / (double)n;
    char title[160];
    snprintf(title, sizeof title, "%.100s (%.30s)", p->title, p->unit);
    clv_svg_text(svg, b->x, b->y - 10, "font-size=\"12\" font-weight=\"bold\"", title);
    add_legends(svg, b, p);
    add_grid(svg, b, top);
    for (size_t i = 0; i < n; i++) add_bar(svg, b, p, i, pitch, top);
    if (p->marked) add_pointer(svg, b, p, pitch, top);
    for (size_t i = 0; i < n && p->marks; i++) {
        double y = b->y + b->h - b->h * p->marks[i] / top;
        clv_svg_line(svg, b->x + pitch * ((double)i + 0.04), y, b->x + pitch * ((double)i + 0.96),
                     y, "stroke=\"" INK "\" stroke-width=\"1.6\"");
    }
    if (p->level > 0) {
        double y = b->y + b->h - b->h * p->level / top;
        clv_svg_line(svg, b->x, y, b->x + b->w, y, "stroke=\"" INK "\" stroke-dasharray=\"4 3\"");
    }
    clv_svg_line(svg, b->x, b->y + b->h, b->x + b->w, b->y + b->h, "stroke=\"" SOFT "\"");
}

/* How far the longest label hangs down, turned by 60 degrees. */
static double label_drop(const char *const *labels, size_t n)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++) most = CLV_MAX(most, strlen(labels[i]));
    return 5.2 * (double)most;
}

void clv_chart_bars(clv_buf *svg, const clv_chart_text *text, const char *const *labels, size_t n,
                    const clv_chart_panel *panels, size_t n_panels)
{
    double pitch = fmin(fmax(860.0 / (double)CLV_MAX(n, (size_t)1), 7), 44);
    double words = text->subtitle ? 6.1 * (double)strlen(text->subtitle) : 0;
    double inner = fmax(fmax(pitch * (double)n, 560), words),
           height = TOP + 40 + label_drop(labels, n);
    height += (double)n_panels * (PANEL + GAP) - GAP;
    clv_svg_begin(svg, LEFT + inner + RIGHT, height, text->title, text->subtitle);
    box b = {LEFT, TOP + 16, inner, PANEL};
    for (size_t i = 0; i < n_panels; i++) {
        add_panel(svg, &b, &panels[i], n);
        b.y += PANEL + GAP;
    }
    double y = b.y - GAP + 12;
    pitch = inner / (double)CLV_MAX(n, (size_t)1);
    size_t every = (size_t)ceil(11 / pitch);
    for (size_t i = 0; i < n; i += every) {
        double x = LEFT + pitch * ((double)i + 0.5) + 3;
        char style[120];
        snprintf(style, sizeof style,
                 "text-anchor=\"end\" font-size=\"10\" transform=\"rotate(-60 %.1f %.1f)\"", x, y);
        clv_svg_text(svg, x, y, style, labels[i]);
    }
    clv_svg_end(svg);
}

/* A logarithmic axis: the values at its two ends, whole decades apart or close to the data. */
typedef struct log_axis {
    double low, high;
} log_axis;

static double along(const log_axis *a, double v)
{
    return log(v / a->low) / log(a->high / a->low);
}

static void widen_axis(log_axis *a, double v)
{
    a->low = a->low > 0 ? fmin(a->low, v) : v;
    a->high = fmax(a->high, v);
}

/* 1, 2 and 5 of each decade, only the decades themselves when there are many. */
static void add_log_ticks(clv_buf *svg, const box *b, const log_axis *a, bool vertical)
{
    static const double digits[] = {1, 2, 5};
    size_t n_digits = log10(a->high / a->low) > 3.5 ? 1 : CLV_COUNT(digits);
    for (double power = pow(10, floor(log10(a->low))); power <= a->high; power *= 10)
        for (size_t i = 0; i < n_digits; i++) {
            double v = power * digits[i], at = along(a, v);
            if (at < -1e-9 || at > 1 + 1e-9) continue;
            char text[32];
            snprintf(text, sizeof text, "%.10g", v);
            double x = b->x + b->w * at, y = b->y + b->h * (1 - at);
            if (vertical) {
                clv_svg_line(svg, b->x, y, b->x + b->w, y, "stroke=\"" GRID "\"");
                clv_svg_text(svg, b->x - 6, y + 4, "text-anchor=\"end\" fill=\"" SOFT "\"", text);
            } else {
                clv_svg_line(svg, x, b->y, x, b->y + b->h, "stroke=\"" GRID "\"");
                clv_svg_text(svg, x, b->y + b->h + 16, "text-anchor=\"middle\" fill=\"" SOFT "\"",
                             text);
            }
        }
}

static void add_dots(clv_buf *svg, const box *b, const log_axis *x, const log_axis *y,
                     const clv_chart_line *l)
{
    clv_buf_printf(svg, "<g fill=\"%s\" fill-opacity=\"0.45\">\n", clv_svg_colour(l->kind));
    for (size_t i = 0; i < l->n; i++)
        clv_buf_printf(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2\"/>\n",
                       b->x + b->w * along(x, l->x[i]), b->y + b->h * (1 - along(y, l->y[i])));
    clv_buf_text(svg, "</g>\n");
}

static void add_curve(clv_buf *svg, const box *b, const log_axis *x, const log_axis *y,
                      const clv_chart_line *l)
{
    if (l->dots) {
        add_dots(svg, b, x, y, l);
        return;
    }
    clv_buf_printf(svg, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s points=\"",
                   clv_svg_colour(l->kind), l->strong ? "3" : "1.4",
                   l->strong ? "" : " stroke-dasharray=\"5 4\"");
    for (size_t i = 0; i < l->n; i++)
        clv_buf_printf(svg, "%.1f,%.1f ", b->x + b->w * along(x, l->x[i]),
                       b->y + b->h * (1 - along(y, l->y[i])));
    clv_buf_text(svg, "\"/>\n");
}

static void add_mark(clv_buf *svg, const box *b, const log_axis *axis, const clv_chart_mark *mark)
{
    double x = b->x + b->w * along(axis, mark->x), y = b->y + 6;
    char style[150];
    snprintf(style, sizeof style,
             "text-anchor=\"end\" font-size=\"10\" fill=\"" SOFT
             "\" transform=\"rotate(-90 %.1f %.1f)\"",
             x - 3, y);
    clv_svg_line(svg, x, b->y, x, b->y + b->h, "stroke=\"" SOFT "\" stroke-dasharray=\"2 3\"");
    clv_svg_text(svg, x - 3, y, style, mark->text);
}

void clv_chart_lines(clv_buf *svg, const clv_chart_text *text, const clv_chart_axes *axes,
                     const clv_chart_line *lines, size_t n)
{
    enum { WIDTH = 620, HEIGHT = 380, KEY = 250 };
    log_axis x = {0}, y = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < lines[i].n; k++) {
            widen_axis(&x, lines[i].x[k]);
            widen_axis(&y, lines[i].y[k]);
        }
    y.low /= 1.15;
    y.high *= 1.15;
    clv_svg_begin(svg, LEFT + WIDTH + KEY, TOP + HEIGHT + 56, text->title, text->subtitle);
    box b = {LEFT, TOP, WIDTH, HEIGHT};
    add_log_ticks(svg, &b, &x, false);
    add_log_ticks(svg, &b, &y, true);
    for (size_t i = 0; i < axes->n_marks; i++) add_mark(svg, &b, &x, &axes->marks[i]);
    for (size_t i = 0; i < n; i++) {
        add_curve(svg, &b, &x, &y, &lines[i]);
        double at = TOP + 14 + 20 * (double)i;
        char style[96];
        snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"%s\"%s",
                 clv_svg_colour(lines[i].kind), lines[i].strong ? "3" : "1.4",
                 lines[i].strong ? "" : " stroke-dasharray=\"5 4\"");
        clv_svg_line(svg, LEFT + WIDTH + 16, at - 4, LEFT + WIDTH + 40, at - 4, style);
        clv_svg_text(svg, LEFT + WIDTH + 46, at, "", lines[i].name);
    }
    clv_svg_text(svg, b.x + b.w / 2, b.y + b.h + 38, "text-anchor=\"middle\"", axes->x_title);
    char turned[96];
    snprintf(turned, sizeof turned, "text-anchor=\"middle\" transform=\"rotate(-90 18 %.0f)\"",
             b.y + b.h / 2);
    clv_svg_text(svg, 18, b.y + b.h / 2, turned, axes->y_title);
    clv_svg_end(svg);
}
