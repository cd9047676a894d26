/* Charts as stand-alone SVG, for reports: bars in panels that share their x axis, and lines.
 *
 *     clv_buf svg = {0};
 *     const clv_chart_panel panels[] = {{.title = "Latency", .unit = "ms", .values = ms},
 *                                       {.title = "Output", .unit = "kB", .values = kb}};
 *     clv_chart_bars(&svg, &(clv_chart_text){.title = "resnet18"}, labels, n, panels, 2);
 *     clv_file_write("resnet18.svg", svg.data, svg.len, &err);
 *
 * Light background, no scripts, no external fonts: it shows alike in a browser and in a document.
 * Ticks are at 1, 2 or 5 times a power of ten. Text is escaped. Everything is borrowed for the call.
 */
#ifndef CLV_CLI_CHART_H
#define CLV_CLI_CHART_H

#include "base/buf.h"

#include <stdbool.h>

typedef struct clv_chart_text {
    const char *title, *subtitle; /* NULL: none */
} clv_chart_text;

typedef struct clv_chart_panel {
    const char *title, *unit;
    const double *values; /* one bar each, >= 0 */
    const double *const
        *stacks; /* instead: n_stacks parts of each bar, from the bottom up; part s has
                                    the colour and the name of kind s */
    size_t n_stacks;
    size_t marked;           /* 1 + the bar that is pointed at; 0: none */
    const char *marked_text; /* what it is */
    const int *kinds;        /* colour of each bar by its kind, 0.. ; NULL: all of kind `kind` */
    int kind;                /* colour where `kinds` is NULL, and of the panel's legend */
    const char *const *kind_names; /* legend; NULL: none. n_kinds names */
    size_t n_kinds;
    const double *marks;    /* a short line over each bar, NULL: none */
    const char *marks_text; /* what the marks are, for the legend */
    double level;           /* a dashed line across, 0: none */
    const char *level_text;
} clv_chart_panel;

/* Panels above each other, n bars each, labelled below the last. */
void clv_chart_bars(clv_buf *svg, const clv_chart_text *text, const char *const *labels, size_t n,
                    const clv_chart_panel *panels, size_t n_panels);

typedef struct clv_chart_line {
    const char *name; /* written at the line's end in the legend */
    const double *x, *y;
    size_t n;
    int kind; /* colour */
    bool strong;
    bool dots; /* points, not joined */
} clv_chart_line;

/* A vertical line at x, written on. */
typedef struct clv_chart_mark {
    double x;
    const char *text;
} clv_chart_mark;

typedef struct clv_chart_axes {
    const char *x_title, *y_title;
    const clv_chart_mark *marks; /* NULL: none */
    size_t n_marks;
} clv_chart_axes;

/* Lines over two logarithmic axes. All values must be above 0. */
void clv_chart_lines(clv_buf *svg, const clv_chart_text *text, const clv_chart_axes *axes,
                     const clv_chart_line *lines, size_t n);

#endif
