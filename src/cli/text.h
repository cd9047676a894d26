/* How text looks in a terminal: the columns that UTF-8 takes. */
#ifndef CLV_CLI_TEXT_H
#define CLV_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns of a UTF-8 text: combining marks take none, East Asian wide characters and emoji two, a
 * byte that is no UTF-8 takes one. Independent of the locale. */
size_t clv_text_columns(const char *text);
/* The bytes of the longest start of `text` that takes at most `columns`. */
size_t clv_text_fit(const char *text, size_t columns);
/* Columns of the terminal behind `out`; 0 when it is no terminal. */
size_t clv_terminal_columns(FILE *out);

#endif
