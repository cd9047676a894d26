#include "cli/text.h"
#include "base/mem.h"

#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_COLUMNS_GUESS 80 /* for a terminal that does not say */

typedef struct range {
    uint32_t first, last;
} range;

/* The blocks that matter for names and units; Unicode 15, TR 11 (East Asian Width). */
static const range no_columns[] = {
    {0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};
static const range two_columns[] = {
    {0x1100, 0x115f},   {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static bool in_ranges(uint32_t c, const range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    return false;
}

/* The character at `*text`, which moves behind it; a wrong byte stands for itself. */
static uint32_t take(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    size_t more = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc0 ? 1 : 0;
    uint32_t c = at[0];
    if (more) c &= 0x3fu >> more;
    for (size_t i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            *text += 1;
            return 0xfffd;
        }
        c = c << 6 | (at[i] & 0x3fu);
    }
    *text += 1 + more;
    return c;
}

static size_t columns_of(uint32_t c)
{
    if (in_ranges(c, no_columns, CLV_COUNT(no_columns))) return 0;
    return in_ranges(c, two_columns, CLV_COUNT(two_columns)) ? 2 : 1;
}

size_t clv_text_columns(const char *text)
{
    size_t columns = 0;
    while (*text) columns += columns_of(take(&text));
    return columns;
}

size_t clv_text_fit(const char *text, size_t columns)
{
    const char *at = text, *next = text;
    while (*next) {
        size_t width = columns_of(take(&next));
        if (width > columns) break;
        columns -= width;
        at = next;
    }
    return (size_t)(at - text);
}

size_t clv_terminal_columns(FILE *out)
{
    struct winsize size = {0};
    int fd = fileno(out);
    if (fd < 0 || !isatty(fd)) return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return TERMINAL_COLUMNS_GUESS;
    return size.ws_col;
}
