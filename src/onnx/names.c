#include "onnx/names.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct clv_name_slot *find(const clv_names *m, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (const char *p = name; *p; p++) h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    for (size_t i = h ^ h >> 32;; i++) {
        struct clv_name_slot *slot = &m->slots[i & (m->cap - 1)];
        if (!slot->name || strcmp(slot->name, name) == 0) return slot;
    }
}

int clv_names_get(const clv_names *m, const char *name)
{
    if (!m->cap) return -1;
    const struct clv_name_slot *slot = find(m, name);
    return slot->name ? slot->value : -1;
}

static void grow(clv_names *m)
{
    clv_names bigger = {.cap = m->cap ? 2 * m->cap : 64, .n = m->n};
    bigger.slots = clv_alloc_array(bigger.cap, sizeof *bigger.slots);
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].name) *find(&bigger, m->slots[i].name) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void clv_names_set(clv_names *m, const char *name, int value)
{
    if (2 * (m->n + 1) > m->cap) grow(m);
    struct clv_name_slot *slot = find(m, name);
    if (!slot->name) m->n++;
    *slot = (struct clv_name_slot){.name = name, .value = value};
}

void clv_names_done(clv_names *m)
{
    free(m->slots);
    *m = (clv_names){0};
}
