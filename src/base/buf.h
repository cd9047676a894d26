/* A growable byte buffer that is also a text builder.
 *
 *     clv_buf b = {0};                       // a zeroed buffer is valid and empty
 *     clv_buf_printf(&b, "%s: %d", name, n); // always NUL-terminated behind `len`
 *     char *text = clv_buf_take(&b);         // or clv_buf_done(&b)
 *
 * Ownership: the buffer owns `data`; clv_buf_take() hands it out and leaves an empty buffer.
 * Growth aborts on lack of memory: callers bound what they append (limits on wire and file sizes).
 */
#ifndef CLV_BASE_BUF_H
#define CLV_BASE_BUF_H

#include "base/mem.h"

typedef struct clv_buf {
    char *data;
    size_t len, cap;
} clv_buf;

void clv_buf_done(clv_buf *b);
void clv_buf_reserve(clv_buf *b, size_t more); /* room for `more` bytes and a NUL behind `len` */
void clv_buf_add(clv_buf *b, const void *bytes, size_t n);
void clv_buf_text(clv_buf *b, const char *text);
void clv_buf_char(clv_buf *b, char c);
void clv_buf_printf(clv_buf *b, const char *fmt, ...) CLV_PRINTF(2, 3);
void clv_buf_vprintf(clv_buf *b, const char *fmt, va_list ap) CLV_PRINTF(2, 0);
void clv_buf_clear(clv_buf *b);             /* len = 0, memory kept */
void clv_buf_consume(clv_buf *b, size_t n); /* drop the first n bytes */
char *clv_buf_take(clv_buf *b);             /* heap text; never NULL */

#endif
