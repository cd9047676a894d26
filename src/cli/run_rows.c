#include "cli/run_rows.h"

#include "base/mem.h"

#include <string.h>

enum { NAME_SHOWN = 22, TITLE_SHOWN = 90 };

static bool has(const clv_run_rows *rows, int model, int plan)
{
    for (size_t i = 0; i < rows->n; i++)
        if (rows->items[i].model == model && rows->items[i].plan == plan) return true;
    return false;
}

static void add(clv_run_rows *rows, int model, int plan)
{
    if (plan < 0 || has(rows, model, plan)) return;
    if (rows->n < CLV_RUN_CHART_ROWS)
        rows->items[rows->n++] = (clv_run_row_id){model, plan};
    else
        rows->items[rows->n - 1] = (clv_run_row_id){-1, -1};
}

void clv_run_rows_init(clv_run_rows *rows, const clv_run *run)
{
    *rows = (clv_run_rows){0};
    for (size_t i = 0; i < run->n_switches; i++)
        add(rows, run->switches[i].model, run->switches[i].plan);
    for (size_t i = 0; i < run->n_requests; i++)
        if (run->requests[i].ended) add(rows, run->requests[i].model, run->requests[i].plan);
}

int clv_run_row(const clv_run_rows *rows, int model, int plan)
{
    for (size_t i = 0; i < rows->n; i++)
        if (rows->items[i].model == model && rows->items[i].plan == plan) return (int)i;
    return rows->n ? (int)rows->n - 1 : 0;
}

/* The end of a long name says more than its beginning: names of tensors are paths. */
static char *shortened(const char *name)
{
    size_t n = strlen(name);
    if (n <= NAME_SHOWN) return clv_strdup(name);
    return clv_format("\u2026%s", name + n - NAME_SHOWN + 1);
}

char *clv_run_row_name(const clv_run_rows *rows, const clv_run *run, size_t row)
{
    clv_run_row_id id = rows->items[row];
    if (id.plan < 0) return clv_strdup("others");
    const char *plan = run->plans.items[id.plan];
    if (run->models.n < 2) return shortened(plan);
    CLV_AUTO(clv_text_free) char *name = clv_format("%s: %s", run->models.items[id.model], plan);
    return shortened(name);
}

char *clv_run_title(const clv_run *run)
{
    clv_buf b = {0};
    for (size_t i = 0; i < run->models.n && b.len < TITLE_SHOWN; i++)
        clv_buf_printf(&b, "%s%s", i ? ", " : "", run->models.items[i]);
    return clv_buf_take(&b);
}
