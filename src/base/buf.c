#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void clv_buf_done(clv_buf *b)
{
    free(b->data);
    *b = (clv_buf){0};
}

void clv_buf_reserve(clv_buf *b, size_t more)
{
    clv_grow(&b->data, &b->cap, b->len + more + 1, 1);
}

void clv_buf_add(clv_buf *b, const void *bytes, size_t n)
{
    clv_buf_reserve(b, n);
    if (n) memcpy(b->data + b->len, bytes, n);
    b->len += n;
    b->data[b->len] = 0;
}

void clv_buf_text(clv_buf *b, const char *text)
{
    clv_buf_add(b, text, strlen(text));
}
void clv_buf_char(clv_buf *b, char c)
{
    clv_buf_add(b, &c, 1);
}

void clv_buf_vprintf(clv_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0) { /* also for nothing: the text is there and terminated */
        clv_buf_reserve(b, (size_t)n);
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void clv_buf_printf(clv_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    clv_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void clv_buf_clear(clv_buf *b)
{
    b->len = 0;
    if (b->data) b->data[0] = 0;
}

void clv_buf_consume(clv_buf *b, size_t n)
{
    if (n > b->len) n = b->len;
    if (n) memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    if (b->data) b->data[b->len] = 0;
}

char *clv_buf_take(clv_buf *b)
{
    clv_buf_reserve(b, 0);
    b->data[b->len] = 0;
    char *text = b->data;
    *b = (clv_buf){0};
    return text;
}
