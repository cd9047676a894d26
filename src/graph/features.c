#include "graph/features.h"

#include <string.h>

static const char *const names[CLV_UNIT_KIND_COUNT] = {
#define X(name, text) [CLV_UNIT_##name] = text,
    CLV_UNIT_KIND_MAP(X)
#undef X
};

const char *clv_unit_kind_name(clv_unit_kind k)
{
    return (unsigned)k < CLV_UNIT_KIND_COUNT ? names[k] : "?";
}

int clv_unit_kind_parse(const char *text)
{
    for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++)
        if (strcmp(text, names[k]) == 0) return k;
    return -1;
}
