/* What was told to the log of one peer lately, so that each trouble is told once: also when two take
 * turns, as those of a peer that comes and goes do. Private to split/.
 *
 *     clv_told t = {0};
 *     if (clv_told_anew(&t, "peer refused: it is busy", now_us)) clv_log(...);
 *     clv_told_over(&t);                      // all is well: the next trouble is another one
 *
 * A line is news if it is none of the last CLV_TOLD_MAX, or if all was well in between and it is
 * CLV_TOLD_AGAIN_US since it was told. A plain value, zeroed to begin. Threads: one at a time.
 */
#ifndef CLV_SPLIT_TOLD_H
#define CLV_SPLIT_TOLD_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLV_TOLD_MAX = 4 };
#define CLV_TOLD_AGAIN_US 60000000

typedef struct clv_told_line {
    char text[CLV_ERROR_TEXT_MAX]; /* "": none */
    int64_t at_us;
    bool over; /* all was well since */
} clv_told_line;

typedef struct clv_told {
    clv_told_line lines[CLV_TOLD_MAX]; /* a ring */
    size_t next;
} clv_told;

/* Is it to be told now? Then it counts as told. Texts count as far as CLV_ERROR_TEXT_MAX. */
bool clv_told_anew(clv_told *t, const char *text, int64_t now_us);
void clv_told_over(clv_told *t);

#endif
