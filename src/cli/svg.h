/* The strokes that charts are made of: stand-alone SVG text into a buffer.
 *
 *     clv_svg_begin(&svg, 900, 600, "title", "subtitle");
 *     clv_svg_line(&svg, 0, 0, 10, 10, "stroke=\"#222222\"");
 *     clv_svg_text(&svg, 5, 5, "", "a < b");             // escaped
 *     clv_svg_end(&svg);
 *
 * `style` is the rest of the element's attributes. Light background, no scripts, no external fonts. */
#ifndef CLV_CLI_SVG_H
#define CLV_CLI_SVG_H

#include "base/buf.h"

#define CLV_SVG_INK  "#222222"
#define CLV_SVG_SOFT "#666666"
#define CLV_SVG_GRID "#e4e4e4"
/* Where the title begins, and the first panel. */
enum { CLV_SVG_LEFT = 72, CLV_SVG_TOP = 64 };

/* One of a few colours that the colour-blind can tell apart as well; they come again. */
const char *clv_svg_colour(int kind);

/* `title` and `subtitle` may be NULL. */
void clv_svg_begin(clv_buf *svg, double width, double height, const char *title,
                   const char *subtitle);
void clv_svg_text(clv_buf *svg, double x, double y, const char *style, const char *text);
void clv_svg_line(clv_buf *svg, double x1, double y1, double x2, double y2, const char *style);
void clv_svg_end(clv_buf *svg);
/* The distance of ticks that gives about `n` of them up to `top`: 1, 2 or 5 times a power of ten. */
double clv_svg_tick_step(double top, int n);

#endif
