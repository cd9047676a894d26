#include "net/text.h"

#include <stdint.h>
#include <string.h>

bool clv_text_is_grpc(const char *type)
{
    static const char grpc[] = "application/grpc";
    if (!type || strncmp(type, grpc, sizeof grpc - 1)) return false;
    char next = type[sizeof grpc - 1];
    return next == 0 || next == '+' || next == ';' || next == ' ';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool clv_text_percent_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = hex_value(from[1]);
        int low = high < 0 ? -1 : hex_value(from[2]);
        if (low < 0 || (high == 0 && low == 0)) return false;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = 0;
    return true;
}

void clv_text_percent_encode(clv_buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= ' ' && c <= '~' && c != '%') {
            clv_buf_char(out, *text);
        } else {
            clv_buf_printf(out, "%%%02X", c);
        }
    }
}

/* Length of the well-formed UTF-8 sequence at `s`, 0 if there is none. */
static size_t utf8_length(const unsigned char *s)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max, n;
    } forms[] = {{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
                 {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
                 {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
                 {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    if (s[0] < 0x80) return 1;
    for (size_t i = 0; i < CLV_COUNT(forms); i++) {
        if (s[0] < forms[i].first_min || s[0] > forms[i].first_max) continue;
        if (s[1] < forms[i].second_min || s[1] > forms[i].second_max) return 0;
        for (size_t j = 2; j < forms[i].n; j++) {
            if ((s[j] & 0xC0) != 0x80) return 0;
        }
        return forms[i].n;
    }
    return 0;
}

void clv_text_error_json(clv_buf *out, const char *text)
{
    clv_buf_text(out, "{\"error\": \"");
    while (*text) {
        size_t n = utf8_length((const unsigned char *)text);
        if (*text == '"' || *text == '\\') {
            clv_buf_char(out, '\\');
            clv_buf_char(out, *text);
        } else if (n == 1 && (unsigned char)*text < ' ') {
            clv_buf_printf(out, "\\u%04x", (unsigned)*text);
        } else if (n) {
            clv_buf_add(out, text, n);
        } else {
            clv_buf_text(out, "\\ufffd");
        }
        text += n ? n : 1;
    }
    clv_buf_text(out, "\"}\n");
}

bool clv_text_to_size(const char *text, size_t *value)
{
    size_t n = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        size_t digit = (size_t)(*text - '0');
        if (n > (SIZE_MAX - digit) / 10) return false;
        n = n * 10 + digit;
    }
    *value = n;
    return true;
}

clv_status clv_text_check_token(const char *token, clv_error *err)
{
    const char *at = token;
    while (*at > ' ' && *at <= '~') at++;
    if (*token && !*at) return CLV_OK;
    return clv_fail(err, CLV_EINVAL, "bearer token %s",
                    *token ? "has a blank, a newline or another byte that is not visible ASCII"
                           : "is empty");
}
