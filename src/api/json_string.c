#include "api/json_string.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Four hex digits, or -1. */
static long read_hex4(const char *at, const char *end)
{
    if (end - at < 4) return -1;
    long value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void put_utf8(clv_buf *out, unsigned long code)
{
    if (code < 0x80) {
        clv_buf_char(out, (char)code);
    } else if (code < 0x800) {
        clv_buf_char(out, (char)(0xc0 | code >> 6));
        clv_buf_char(out, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        clv_buf_char(out, (char)(0xe0 | code >> 12));
        clv_buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        clv_buf_char(out, (char)(0x80 | (code & 0x3f)));
    } else {
        clv_buf_char(out, (char)(0xf0 | code >> 18));
        clv_buf_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
        clv_buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        clv_buf_char(out, (char)(0x80 | (code & 0x3f)));
    }
}

/* What stands behind "\u": one code unit, or a pair of surrogates. */
static const char *read_unicode(const char *at, const char *end, clv_buf *out)
{
    long high = read_hex4(at, end);
    if (high < 0 || (high >= 0xdc00 && high < 0xe000)) return NULL;
    at += 4;
    if (high < 0xd800 || high >= 0xe000) {
        put_utf8(out, (unsigned long)high);
        return at;
    }
    if (end - at < 2 || at[0] != '\\' || at[1] != 'u') return NULL;
    long low = read_hex4(at + 2, end);
    if (low < 0xdc00 || low >= 0xe000) return NULL;
    put_utf8(out, 0x10000 + ((unsigned long)(high - 0xd800) << 10) + (unsigned long)(low - 0xdc00));
    return at + 6;
}

static const char *read_escape(const char *at, const char *end, clv_buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (at == end) return NULL;
    if (*at == 'u') return read_unicode(at + 1, end, out);
    const char *which = *at ? strchr(from, *at) : NULL;
    if (!which) return NULL;
    clv_buf_char(out, to[which - from]);
    return at + 1;
}

const char *clv_json_string_read(const char *at, const char *end, clv_buf *out)
{
    if (at == end || *at != '"') return NULL;
    at++;
    while (at && at < end && *at != '"') {
        if ((unsigned char)*at < 0x20) return NULL;
        if (*at == '\\') {
            at = read_escape(at + 1, end, out);
            continue;
        }
        const char *plain = at;
        while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) at++;
        clv_buf_add(out, plain, (size_t)(at - plain));
    }
    return at && at < end ? at + 1 : NULL;
}

/* Bytes of the UTF-8 sequence at `at`, 0 if it is none (overlong, surrogate, past U+10FFFF). */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80) return 1;
    size_t n = at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3 : 4;
    if (at[0] < 0xc2 || at[0] > 0xf4 || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f)) return 0;
    if ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f)) return 0;
    return n;
}

static bool is_utf8(const char *text, size_t n)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0; i < n;) {
        size_t step = utf8_length(at + i, n - i);
        if (!step) return false;
        i += step;
    }
    return true;
}

bool clv_json_string_write(clv_buf *out, const char *text, size_t n)
{
    if (!is_utf8(text, n)) return false;
    clv_buf_char(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"' || text[i] == '\\')
            clv_buf_printf(out, "\\%c", text[i]);
        else if ((unsigned char)text[i] < 0x20)
            clv_buf_printf(out, "\\u%04x", (unsigned)text[i]);
        else
            clv_buf_char(out, text[i]);
    }
    clv_buf_char(out, '"');
    return true;
}
