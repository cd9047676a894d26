#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *p)
{
    if (p) return p;
    fputs("cleave: out of memory\n", stderr);
    abort();
}

void *clv_alloc_array(size_t n, size_t size)
{
    return or_abort(calloc(n ? n : 1, size ? size : 1));
}
void *clv_alloc(size_t size)
{
    return clv_alloc_array(1, size);
}

void clv_grow(void *items, size_t *cap, size_t need, size_t item_size)
{
    if (need <= *cap) return;
    size_t cap_new = *cap ? *cap : 8;
    while (cap_new < need) cap_new *= 2;
    if (item_size && cap_new > SIZE_MAX / item_size) or_abort(NULL);
    void *p;
    memcpy(&p, items, sizeof p);
    p = or_abort(realloc(p, cap_new * item_size));
    memset((char *)p + *cap * item_size, 0, (cap_new - *cap) * item_size);
    memcpy(items, &p, sizeof p);
    *cap = cap_new;
}

void *clv_try_alloc(size_t bytes)
{
    size_t rounded = (bytes + 63) & ~(size_t)63;
    return rounded < bytes ? NULL : aligned_alloc(64, rounded ? rounded : 64);
}

char *clv_strndup(const char *text, size_t n)
{
    char *copy = clv_alloc(n + 1);
    if (n) memcpy(copy, text, n);
    return copy;
}

char *clv_strdup(const char *text)
{
    return text ? clv_strndup(text, strlen(text)) : NULL;
}

char *clv_format(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *text = clv_alloc((size_t)(n < 0 ? 0 : n) + 1);
    if (n > 0) vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

void clv_free(void *pointer_to_pointer)
{
    free(clv_steal_pointer(pointer_to_pointer));
}
void clv_text_free(char **text)
{
    clv_free(text);
}
