#include "cli/run_chart.h"

#include "base/mem.h"
#include "base/unit.h"
#include "cli/run_rows.h"
#include "cli/svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEFT = 150,
    WIDTH = 860,
    RIGHT = 30,
    GAP = 44,
    LINK_H = 150,
    ROW_H = 20,
    LATENCY_H = 210,
    QUEUE_H = 80
};
#define SOFT   CLV_SVG_SOFT
#define GRID   CLV_SVG_GRID
#define FAILED "#d00000"
#define DOWN   "fill=\"#dddddd\""

/* A panel: its place, and its vertical axis, logarithmic if `low` is above 0. */
typedef struct panel {
    double y, h, low, high;
} panel;

typedef struct picture {
    clv_buf *svg;
    const clv_run *run;
    double seconds; /* the end of the time axis */
    clv_run_rows rows;
    size_t every; /* of the good requests */
} picture;

static double at_x(const picture *p, int64_t at_us)
{
    return LEFT + WIDTH * fmin(fmax((double)at_us / 1e6 / p->seconds, 0), 1);
}

static double at_y(const panel *b, double v)
{
    double share = b->low > 0 ? log(fmax(v, b->low) / b->low) / log(b->high / b->low) : v / b->high;
    return b->y + b->h * (1 - fmin(fmax(share, 0), 1));
}

static void tick(picture *p, const panel *b, double v, const char *text)
{
    double y = at_y(b, v);
    clv_svg_line(p->svg, LEFT, y, LEFT + WIDTH, y, "stroke=\"" GRID "\"");
    clv_svg_text(p->svg, LEFT - 6, y + 4, "text-anchor=\"end\" fill=\"" SOFT "\"", text);
}

/* Ticks at 1, 2, 5 times a power of ten, or, over many decades, at the powers alone. */
static void log_ticks(picture *p, const panel *b, clv_unit_text (*show)(double), double unit)
{
    static const double digits[] = {1, 2, 5};
    size_t n = log10(b->high / b->low) > 2.2 ? 1 : CLV_COUNT(digits);
    for (double power = pow(10, floor(log10(b->low))); power <= b->high; power *= 10)
        for (size_t i = 0; i < n; i++)
            if (power * digits[i] >= b->low * 0.999 && power * digits[i] <= b->high)
                tick(p, b, power * digits[i], show(power * digits[i] * unit).s);
}

static void heading(picture *p, const panel *b, const char *title, const char *about)
{
    clv_svg_text(p->svg, LEFT, b->y - 9, "font-size=\"12\" font-weight=\"bold\"", title);
    clv_svg_text(p->svg, LEFT + 12 + 7.5 * (double)strlen(title), b->y - 9, "fill=\"" SOFT "\"",
                 about);
}

static void frame(picture *p, const panel *b)
{
    clv_svg_line(p->svg, LEFT, b->y + b->h, LEFT + WIDTH, b->y + b->h, "stroke=\"" SOFT "\"");
    const clv_run *t = p->run;
    for (size_t i = 0; i < t->n_switches; i++) {
        size_t k = 0;
        while (t->switches[k].model != t->switches[i].model) k++;
        double x = at_x(p, t->switches[i].at_us);
        if (k < i) /* a model's first plan is no switch */
            clv_svg_line(p->svg, x, b->y, x, b->y + b->h,
                         "class=\"switch\" stroke=\"#999999\" stroke-dasharray=\"2 3\"");
    }
}

/* ---- the link ---- */

static void widen(panel *b, double v)
{
    if (!(v > 0) || !isfinite(v)) return;
    b->low = b->low > 0 ? fmin(b->low, v) : v;
    b->high = fmax(b->high, v);
}

static int64_t end_of(const clv_run *t, size_t i, int64_t end_us)
{
    return i + 1 < t->n_links ? t->links[i + 1].at_us : end_us;
}

/* The range of two sigmas around the estimate, and grey where the link is down: a box each. */
static void link_ranges(picture *p, const panel *b)
{
    const clv_run *t = p->run;
    int64_t end_us = (int64_t)(p->seconds * 1e6);
    for (size_t i = 0; i < t->n_links; i++) {
        const clv_run_link *l = &t->links[i];
        double x = at_x(p, l->at_us), w = at_x(p, end_of(t, i, end_us)) - x;
        double spread = exp(fmin(2 * l->up_sigma, 5));
        double high = l->up ? at_y(b, l->up_bytes_per_s * spread) : b->y;
        double low = l->up ? at_y(b, l->up_bytes_per_s / spread) : b->y + b->h;
        if (w > 0 && low - high > 0.3)
            clv_buf_printf(
                p->svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n", x,
                high, w, low - high, l->up ? "fill=\"#4477aa\" fill-opacity=\"0.18\"" : DOWN);
    }
}

typedef struct stroke {
    clv_buf *svg;
    bool pen_down;
    double y;
} stroke;

/* To (x, y) as a step: along first, then up or down. NAN lifts the pen. */
static void step_to(stroke *s, double x, double y)
{
    if (isnan(y)) {
        if (s->pen_down) clv_buf_printf(s->svg, "H%.1f", x);
        s->pen_down = false;
        return;
    }
    clv_buf_printf(s->svg, s->pen_down ? "H%.1fV%.1f" : "M%.1f %.1f", x, y);
    s->pen_down = true;
}

static void estimated_rate(picture *p, const panel *b)
{
    stroke s = {.svg = p->svg};
    const clv_run *t = p->run;
    clv_buf_text(
        p->svg,
        "<path class=\"rate\" fill=\"none\" stroke=\"#4477aa\" stroke-width=\"1.6\" d=\"M0 0");
    for (size_t i = 0; i < t->n_links; i++)
        step_to(&s, at_x(p, t->links[i].at_us),
                t->links[i].up ? at_y(b, t->links[i].up_bytes_per_s) : (double)NAN);
    if (s.pen_down) step_to(&s, LEFT + WIDTH, (double)NAN);
    clv_buf_text(p->svg, "\"/>\n");
}

static void true_rate(picture *p, const panel *b)
{
    stroke s = {.svg = p->svg};
    const clv_run *t = p->run;
    clv_buf_text(p->svg,
                 "<path class=\"wire\" fill=\"none\" stroke=\"#222222\" stroke-width=\"1.2\" "
                 "stroke-dasharray=\"5 3\" d=\"M0 0");
    for (size_t i = 0; i < t->n_wires; i++) {
        const clv_run_wire *w = &t->wires[i];
        bool carries = w->up.loss < 1 && w->up.rate_bytes_per_s > 0;
        if (w->link == 0)
            step_to(&s, at_x(p, w->at_us), carries ? at_y(b, w->up.rate_bytes_per_s) : (double)NAN);
    }
    if (s.pen_down) step_to(&s, LEFT + WIDTH, (double)NAN);
    clv_buf_text(p->svg, "\"/>\n");
}

static void link_panel(picture *p, double *y)
{
    const clv_run *t = p->run;
    if (t->n_links + t->n_wires == 0) return;
    panel b = {.y = *y, .h = LINK_H};
    for (size_t i = 0; i < t->n_links; i++)
        if (t->links[i].up) widen(&b, t->links[i].up_bytes_per_s);
    for (size_t i = 0; i < t->n_wires; i++)
        if (t->wires[i].link == 0) widen(&b, t->wires[i].up.rate_bytes_per_s);
    if (!(b.low > 0)) b.low = b.high = 125000;
    b.low /= 1.6;
    b.high *= 1.6;
    heading(p, &b, "Link, upwards",
            t->n_wires ? "as the node takes it to be, with two sigmas; dashed: as it is"
                       : "as the node takes it to be, with two sigmas");
    link_ranges(p, &b);
    panel bits = {b.y, b.h, b.low * 8, b.high * 8};
    log_ticks(p, &bits, clv_show_rate, 1.0 / 8);
    if (t->n_links) estimated_rate(p, &b);
    if (t->n_wires) true_rate(p, &b);
    frame(p, &b);
    *y += b.h + GAP;
}

/* ---- the plans ---- */

static void plan_bar(picture *p, const panel *b, int row, int64_t from_us, int64_t to_us)
{
    double x = at_x(p, from_us);
    clv_buf_printf(p->svg,
                   "<rect class=\"plan\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
                   "fill=\"%s\" fill-opacity=\"0.3\"/>\n",
                   x, b->y + ROW_H * (double)row + 4, fmax(at_x(p, to_us) - x, 0.5), ROW_H - 8,
                   clv_svg_colour(row));
}

static void plan_bars(picture *p, const panel *b)
{
    const clv_run *t = p->run;
    for (size_t i = 0; i < t->n_switches; i++) {
        const clv_run_switch *s = &t->switches[i];
        size_t next = i + 1;
        while (next < t->n_switches && t->switches[next].model != s->model) next++;
        int64_t to_us =
            next < t->n_switches ? t->switches[next].at_us : (int64_t)(p->seconds * 1e6);
        plan_bar(p, b, clv_run_row(&p->rows, s->model, s->plan), s->at_us, to_us);
    }
}

static void plan_panel(picture *p, double *y)
{
    const clv_run *t = p->run;
    panel b = {.y = *y, .h = ROW_H * (double)p->rows.n};
    heading(p, &b, "Plan", "bar: requests begin on it; marks: requests that did");
    for (size_t i = 0; i < p->rows.n; i++) {
        char *name = clv_run_row_name(&p->rows, t, i);
        clv_svg_text(p->svg, LEFT - 6, b.y + ROW_H * (double)i + 14,
                     "text-anchor=\"end\" fill=\"" SOFT "\"", name);
        free(name);
    }
    plan_bars(p, &b);
    for (size_t i = 0; i < t->n_requests; i += p->every) {
        const clv_run_request *r = &t->requests[i];
        if (!r->ended || r->plan < 0) continue;
        int row = clv_run_row(&p->rows, r->model, r->plan);
        double x = at_x(p, r->sent_us), top = b.y + ROW_H * (double)row + 4;
        clv_buf_printf(p->svg, "<path d=\"M%.1f %.1fv%d\" stroke=\"%s\"/>\n", x, top, ROW_H - 8,
                       clv_svg_colour(row));
    }
    frame(p, &b);
    *y += b.h + GAP;
}

/* ---- the requests ---- */

static void failed_cross(picture *p, const panel *b, const clv_run_request *r)
{
    clv_buf_printf(p->svg,
                   "<path class=\"failed\" d=\"M%.1f %.1fm-4 -4l8 8m0 -8l-8 8\" stroke=\"" FAILED
                   "\" stroke-width=\"2\"/>\n",
                   at_x(p, r->sent_us), at_y(b, (double)r->timing.total_us));
}

static void request_mark(picture *p, const panel *b, const clv_run_request *r)
{
    double x = at_x(p, r->sent_us), y = at_y(b, (double)r->timing.total_us);
    const char *colour =
        r->plan < 0 ? SOFT : clv_svg_colour(clv_run_row(&p->rows, r->model, r->plan));
    if (r->recovered)
        clv_buf_printf(p->svg,
                       "<circle class=\"recovered\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.4\" "
                       "fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\"/>\n",
                       x, y, colour);
    else if (r->hedged)
        clv_buf_printf(p->svg,
                       "<path class=\"hedged\" d=\"M%.1f %.1fm0 -4l4 7h-8z\" fill=\"none\" "
                       "stroke=\"%s\" stroke-width=\"1.4\"/>\n",
                       x, y, colour);
    else
        clv_buf_printf(p->svg,
                       "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2\" fill=\"%s\" "
                       "fill-opacity=\"0.6\"/>\n",
                       x, y, colour);
}

static void latency_panel(picture *p, double *y)
{
    const clv_run *t = p->run;
    panel b = {.y = *y, .h = LATENCY_H};
    for (size_t i = 0; i < t->n_requests; i++)
        if (t->requests[i].ended) widen(&b, (double)t->requests[i].timing.total_us);
    if (!(b.low > 0)) b.low = b.high = 1000;
    b.low /= 1.3;
    b.high *= 1.3;
    heading(p, &b, "Latency", "ring: finished here after no answer; triangle: hedged; red: failed");
    log_ticks(p, &b, clv_show_duration, 1);
    for (size_t i = 0, good = 0; i < t->n_requests; i++) {
        const clv_run_request *r = &t->requests[i];
        bool plain = r->ended && !r->status && !r->recovered && !r->hedged;
        if (!r->ended || (plain && good++ % p->every)) continue;
        if (r->status)
            failed_cross(p, &b, r);
        else
            request_mark(p, &b, r);
    }
    frame(p, &b);
    *y += b.h + GAP;
}

/* ---- the queue ---- */

static double queued(const clv_run_load *l, bool all)
{
    return (double)l->waiting + (all ? (double)l->in_flight : 0);
}

static void queue_area(picture *p, const panel *b, bool all, const char *colour)
{
    const clv_run *t = p->run;
    clv_buf_printf(p->svg, "<path fill=\"%s\" fill-opacity=\"0.5\" d=\"M%.1f %.1f", colour,
                   at_x(p, t->loads[0].at_us), b->y + b->h);
    for (size_t i = 0; i < t->n_loads; i++)
        clv_buf_printf(p->svg, "H%.1fV%.1f", at_x(p, t->loads[i].at_us),
                       at_y(b, queued(&t->loads[i], all)));
    clv_buf_printf(p->svg, "H%dV%.1fZ\"/>\n", LEFT + WIDTH, b->y + b->h);
}

static void queue_panel(picture *p, double *y)
{
    const clv_run *t = p->run;
    if (t->n_loads == 0) return;
    panel b = {.y = *y, .h = QUEUE_H, .high = 1};
    for (size_t i = 0; i < t->n_loads; i++) b.high = fmax(b.high, queued(&t->loads[i], true));
    heading(p, &b, "Queue", "requests in flight, and below them those that wait");
    double step = fmax(clv_svg_tick_step(b.high, 3), 1);
    for (int i = 0; i * step <= b.high; i++) {
        char text[32];
        snprintf(text, sizeof text, "%g", i * step);
        tick(p, &b, i * step, text);
    }
    queue_area(p, &b, true, "#66ccee");
    queue_area(p, &b, false, "#ee7733");
    frame(p, &b);
    *y += b.h + GAP;
}

/* ---- together ---- */

static void time_axis(picture *p, double y)
{
    double step = clv_svg_tick_step(p->seconds, 10);
    for (int i = 0; i * step <= p->seconds * 1.0001; i++) {
        char text[32];
        snprintf(text, sizeof text, "%g", i * step);
        double x = at_x(p, (int64_t)(i * step * 1e6));
        clv_svg_line(p->svg, x, y, x, y + 5, "stroke=\"" SOFT "\"");
        clv_svg_text(p->svg, x, y + 17, "text-anchor=\"middle\" fill=\"" SOFT "\"", text);
    }
    clv_svg_text(p->svg, LEFT + WIDTH, y + 32, "text-anchor=\"end\" fill=\"" SOFT "\"",
                 "seconds since the start");
}

static char *subtitle(const picture *p)
{
    const clv_run *t = p->run;
    size_t ended = clv_run_ended(t), failed = 0, recovered = 0;
    for (size_t i = 0; i < t->n_requests; i++) {
        failed += t->requests[i].ended && t->requests[i].status;
        recovered += t->requests[i].ended && t->requests[i].recovered;
    }
    char *every = p->every > 1 ? clv_format("; a dot for every %zu", p->every) : clv_strdup("");
    char *text = clv_format("%zu requests, %zu failed, %zu finished here after the peer gave no "
                            "answer%s",
                            ended, failed, recovered, every);
    free(every);
    return text;
}

static double height_of(const picture *p)
{
    const clv_run *t = p->run;
    double height = CLV_SVG_TOP + 20 + ROW_H * (double)p->rows.n + LATENCY_H + 2 * GAP + 10;
    if (t->n_links + t->n_wires) height += LINK_H + GAP;
    if (t->n_loads) height += QUEUE_H + GAP;
    return height;
}

void clv_run_chart(clv_buf *svg, const clv_run *run)
{
    picture p = {.svg = svg, .run = run, .every = 1};
    p.seconds = fmax((double)clv_run_took_us(run) / 1e6, 1e-3);
    p.every = 1 + clv_run_ended(run) / CLV_RUN_CHART_DOTS;
    clv_run_rows_init(&p.rows, run);
    char *title = clv_run_title(run), *about = subtitle(&p);
    clv_svg_begin(svg, LEFT + WIDTH + RIGHT, height_of(&p), title, about);
    double y = CLV_SVG_TOP + 16;
    link_panel(&p, &y);
    plan_panel(&p, &y);
    latency_panel(&p, &y);
    queue_panel(&p, &y);
    time_axis(&p, y - GAP);
    clv_svg_end(svg);
    free(title);
    free(about);
}
