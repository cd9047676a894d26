#include "net/headers.h"

#include <string.h>

clv_status clv_headers_add(clv_headers *h, const char *name, size_t name_n, const char *value,
                           size_t value_n, clv_error *err)
{
    if (h->n == CLV_HTTP_HEADERS_MAX) {
        return clv_fail(err, CLV_ELIMIT, "more than %d header fields", CLV_HTTP_HEADERS_MAX);
    }
    size_t max = CLV_HTTP_HEADER_BYTES_MAX + 2 * CLV_HTTP_HEADERS_MAX;
    if (name_n > max || value_n > max || h->text.len + name_n + value_n + 2 > max) {
        return clv_fail(err, CLV_ELIMIT, "more than %d bytes of header fields",
                        CLV_HTTP_HEADER_BYTES_MAX);
    }
    h->at[h->n].name = h->text.len;
    clv_buf_add(&h->text, name, name_n);
    for (char *c = h->text.data + h->at[h->n].name; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    }
    clv_buf_char(&h->text, 0);
    h->at[h->n].value = h->text.len;
    clv_buf_add(&h->text, value, value_n);
    clv_buf_char(&h->text, 0);
    h->n++;
    return CLV_OK;
}

void clv_headers_copy(clv_headers *h, const clv_header *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t start = h->text.len;
        clv_error err;
        if (clv_headers_add(h, from[i].name, strlen(from[i].name), from[i].value,
                            strlen(from[i].value), &err)) {
            continue;
        }
        for (size_t j = start; j < h->text.len; j++) {
            char c = h->text.data[j];
            if ((c > 0 && c < ' ') || c == 127) h->text.data[j] = ' ';
        }
    }
}

clv_header clv_headers_at(const clv_headers *h, size_t i)
{
    return (clv_header){h->text.data + h->at[i].name, h->text.data + h->at[i].value};
}

const char *clv_headers_get(const clv_headers *h, const char *name)
{
    for (size_t i = 0; i < h->n; i++) {
        clv_header at = clv_headers_at(h, i);
        if (!strcmp(at.name, name)) return at.value;
    }
    return NULL;
}

size_t clv_headers_count(const clv_headers *h, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) n += !strcmp(clv_headers_at(h, i).name, name);
    return n;
}

void clv_headers_view(const clv_headers *h, clv_header out[CLV_HTTP_HEADERS_MAX])
{
    for (size_t i = 0; i < h->n; i++) out[i] = clv_headers_at(h, i);
}

void clv_headers_clear(clv_headers *h)
{
    clv_buf_clear(&h->text);
    h->n = 0;
}

void clv_headers_done(clv_headers *h)
{
    clv_buf_done(&h->text);
    h->n = 0;
}
