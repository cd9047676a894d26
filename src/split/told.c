#include "split/told.h"

#include <stdio.h>
#include <string.h>

bool clv_told_anew(clv_told *t, const char *text, int64_t now_us)
{
    clv_told_line line = {.at_us = now_us}, *known = NULL;
    snprintf(line.text, sizeof line.text, "%s", text);
    for (size_t i = 0; i < CLV_TOLD_MAX && !known; i++)
        if (strcmp(t->lines[i].text, line.text) == 0) known = &t->lines[i];
    if (known && (!known->over || now_us - known->at_us < CLV_TOLD_AGAIN_US)) return false;
    if (!known) {
        known = &t->lines[t->next];
        t->next = (t->next + 1) % CLV_TOLD_MAX;
    }
    *known = line;
    return true;
}

void clv_told_over(clv_told *t)
{
    for (size_t i = 0; i < CLV_TOLD_MAX; i++) t->lines[i].over = true;
}
