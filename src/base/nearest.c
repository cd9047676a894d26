#include "base/nearest.h"
#include "base/mem.h"

#include <string.h>

/* Rows of the classic dynamic program; the row before the last is kept for swaps. */
static size_t edits(const char *a, size_t a_n, const char *b, size_t b_n)
{
    size_t rows[3][CLV_NEAREST_NAME_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_n; j++) before[j] = last[j] = j;
    for (size_t i = 1; i <= a_n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_n; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = CLV_MIN(best, last[j] + 1);
            best = CLV_MIN(best, row[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = CLV_MIN(best, before[j - 2] + 1);
            row[j] = best;
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_n];
}

clv_nearest clv_nearest_to(const char *word)
{
    return (clv_nearest){.word = word};
}

void clv_nearest_try(clv_nearest *n, const char *name)
{
    size_t word_n = strlen(n->word), name_n = strlen(name);
    if (word_n > CLV_NEAREST_NAME_MAX || name_n > CLV_NEAREST_NAME_MAX) return;
    size_t distance = edits(n->word, word_n, name, name_n);
    if (distance > CLV_MAX(name_n / 3, (size_t)1) || distance >= CLV_MAX(word_n, name_n)) return;
    if (n->name && distance >= n->distance) return;
    n->name = name;
    n->distance = distance;
}
