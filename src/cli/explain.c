#include "cli/explain.h"

#include "base/mem.h"
#include "base/unit.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *about;
    size_t offset;
} parts[] = {
#define X(name, about) {#name, about, offsetof(clv_timing, name)},
    CLV_TIMING_MAP(X)
#undef X
};
_Static_assert(CLV_COUNT(parts) <= CLV_EXPLAIN_PARTS_MAX, "every part has room");

static int64_t part_of(const clv_timing *t, size_t i)
{
    int64_t us;
    memcpy(&us, (const char *)t + parts[i].offset, sizeof us);
    return us;
}

clv_explain clv_explain_of(const clv_prediction *predicted, const clv_timing *happened)
{
    clv_explain e = {0};
    for (size_t i = 0; predicted->known && i < CLV_COUNT(parts); i++) {
        clv_explain_part p = {.name = parts[i].name,
                              .about = parts[i].about,
                              .predicted_us = part_of(&predicted->us, i),
                              .sigma_us = part_of(&predicted->sigma_us, i),
                              .happened_us = part_of(happened, i)};
        if (!p.predicted_us && !p.happened_us) continue;
        p.within = llabs(p.happened_us - p.predicted_us) <= 2 * p.sigma_us;
        e.parts[e.n++] = p;
    }
    return e;
}

static void show_off(clv_table *t, const clv_explain_part *p)
{
    if (p->predicted_us)
        clv_table_cell(t, "%+.0f %%", 100 * ((double)p->happened_us / (double)p->predicted_us - 1));
    else
        clv_table_cell(t, "not predicted");
}

void clv_explain_print(const clv_explain *e, FILE *out)
{
    static const clv_column columns[] = {{"part", CLV_LEFT},    {"predicted", CLV_RIGHT},
                                         {"\u00b1", CLV_RIGHT}, {"happened", CLV_RIGHT},
                                         {"off", CLV_RIGHT},    {"where", CLV_LEFT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < e->n; i++) {
        const clv_explain_part *p = &e->parts[i];
        clv_table_cell(t, "%.*s", (int)strlen(p->name) - 3, p->name);
        clv_table_cell(t, "%s", clv_show_duration((double)p->predicted_us).s);
        clv_table_cell(t, "%s", p->sigma_us ? clv_show_duration(2.0 * (double)p->sigma_us).s : "");
        clv_table_cell(t, "%s", clv_show_duration((double)p->happened_us).s);
        show_off(t, p);
        clv_table_cell(t, "%s", strcmp(p->name, "total_us") == 0 ? "" : p->about);
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

json_t *clv_explain_json(const clv_explain *e)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->n; i++) {
        const clv_explain_part *p = &e->parts[i];
        CLV_AUTO(clv_text_free) char *name = clv_strndup(p->name, strlen(p->name) - 3);
        json_t *one =
            json_pack("{s:s, s:I, s:I, s:I, s:b}", "part", name, "predicted_us",
                      (json_int_t)p->predicted_us, "sigma_us", (json_int_t)p->sigma_us,
                      "happened_us", (json_int_t)p->happened_us, "within", (int)p->within);
        if (!p->predicted_us) { /* nobody said anything of it */
            json_object_set_new(one, "predicted_us", json_null());
            json_object_set_new(one, "sigma_us", json_null());
            json_object_set_new(one, "within", json_null());
        }
        json_array_append_new(list, one);
    }
    return list;
}
