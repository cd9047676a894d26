#include "cli/svg.h"

#include <math.h>

/* Okabe and Ito's colours, which the colour-blind can tell apart as well, a little lighter. */
static const char *const colours[] = {"#4477aa", "#ee7733", "#228833", "#aa3377",
                                      "#66ccee", "#ccbb44", "#bbbbbb"};

const char *clv_svg_colour(int kind)
{
    return colours[(unsigned)kind % CLV_COUNT(colours)];
}

static void add_escaped(clv_buf *svg, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': clv_buf_text(svg, "&lt;"); break;
        case '>': clv_buf_text(svg, "&gt;"); break;
        case '&': clv_buf_text(svg, "&amp;"); break;
        case '"': clv_buf_text(svg, "&quot;"); break;
        default:
            if ((unsigned char)*text >= 0x20) clv_buf_char(svg, *text);
        }
    }
}

void clv_svg_text(clv_buf *svg, double x, double y, const char *style, const char *text)
{
    clv_buf_printf(svg, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
    add_escaped(svg, text);
    clv_buf_text(svg, "</text>\n");
}

void clv_svg_line(clv_buf *svg, double x1, double y1, double x2, double y2, const char *style)
{
    clv_buf_printf(svg, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2,
                   y2, style);
}

void clv_svg_begin(clv_buf *svg, double width, double height, const char *title,
                   const char *subtitle)
{
    clv_buf_printf(svg,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                   "viewBox=\"0 0 %.0f %.0f\" font-family=\"Helvetica, Arial, sans-serif\" "
                   "font-size=\"11\" fill=\"" CLV_SVG_INK "\">\n"
                   "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
                   width, height, width, height);
    if (title) clv_svg_text(svg, CLV_SVG_LEFT, 26, "font-size=\"16\" font-weight=\"bold\"", title);
    if (subtitle) clv_svg_text(svg, CLV_SVG_LEFT, 44, "fill=\"" CLV_SVG_SOFT "\"", subtitle);
}

void clv_svg_end(clv_buf *svg)
{
    clv_buf_text(svg, "</svg>\n");
}

double clv_svg_tick_step(double top, int n)
{
    double raw = top / n, power = pow(10, floor(log10(raw))), digit = raw / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}
