#include "plan/plan_json.h"

#include "base/mem.h"
#include "cost/fields.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* A whole number of a struct. One table writes and reads, so that what is written is what is read. */
typedef enum number_kind { NUMBER_I64, NUMBER_INT, NUMBER_SIZE } number_kind;
typedef struct number {
    const char *name;
    size_t at;
    number_kind kind;
    int64_t min, max;
} number;

#define I64(type, member)                                                                          \
    {                                                                                              \
#member, offsetof(type, member), NUMBER_I64, 0, INT64_MAX - 1                              \
    }
#define COST(name, member)                                                                         \
    {                                                                                              \
        name, offsetof(clv_plan_cost, member), NUMBER_I64, 0, INT64_MAX - 1                        \
    }

static const number cost_numbers[] = {
    COST("ns", total.ns),
    COST("var_us2", total.var_us2),
    COST("nj", total.nj),
    COST("pm", total.pm),
    COST("drop_ppm", total.drop_ppm),
    COST("latency_ns", latency_ns),
    COST("period_ns", period_ns),
    COST("score", score),
    COST("wire_bytes", wire_bytes),
};
static const number stage_numbers[] = {
    {"from", offsetof(clv_plan_stage, from), NUMBER_INT, CLV_PLAN_NO_CUT, INT_MAX},
    {"to", offsetof(clv_plan_stage, to), NUMBER_INT, CLV_PLAN_NO_CUT, INT_MAX},
    {"n_units", offsetof(clv_plan_stage, n_units), NUMBER_SIZE, 0, CLV_UNITS_MAX},
    {"codec", offsetof(clv_plan_stage, codec), NUMBER_INT, -1, CLV_PLAN_CODECS_MAX - 1},
    I64(clv_plan_stage, wait_ns),
    I64(clv_plan_stage, decode_ns),
    I64(clv_plan_stage, compute_ns),
    I64(clv_plan_stage, encode_ns),
    I64(clv_plan_stage, overhead_ns),
    I64(clv_plan_stage, rtt_ns),
    I64(clv_plan_stage, up_ns),
    I64(clv_plan_stage, down_ns),
    I64(clv_plan_stage, up_bytes),
    I64(clv_plan_stage, down_bytes),
    I64(clv_plan_stage, nj),
    I64(clv_plan_stage, pm),
    I64(clv_plan_stage, drop_ppm),
    I64(clv_plan_stage, memory_bytes),
};
static const number plan_numbers[] = {
    I64(clv_plan, bound),
    {"considered", offsetof(clv_plan, considered), NUMBER_SIZE, 0, INT64_MAX - 1},
};

static int64_t number_get(const number *n, const void *of)
{
    const char *at = (const char *)of + n->at;
    int64_t wide;
    int narrow;
    size_t size;
    switch (n->kind) {
    case NUMBER_I64: memcpy(&wide, at, sizeof wide); return wide;
    case NUMBER_INT: memcpy(&narrow, at, sizeof narrow); return narrow;
    case NUMBER_SIZE: memcpy(&size, at, sizeof size); return (int64_t)size;
    }
    return 0;
}

static void number_set(const number *n, void *of, int64_t value)
{
    char *at = (char *)of + n->at;
    int narrow = (int)value;
    size_t size = (size_t)value;
    switch (n->kind) {
    case NUMBER_I64: memcpy(at, &value, sizeof value); break;
    case NUMBER_INT: memcpy(at, &narrow, sizeof narrow); break;
    case NUMBER_SIZE: memcpy(at, &size, sizeof size); break;
    }
}

/* ---- writing ---- */

static void put_numbers(json_t *object, const number *numbers, size_t n, const void *of)
{
    for (size_t i = 0; i < n; i++)
        json_object_set_new(object, numbers[i].name, json_integer(number_get(&numbers[i], of)));
}

static json_t *cost_json(const clv_plan_cost *cost)
{
    json_t *o = json_object();
    put_numbers(o, cost_numbers, CLV_COUNT(cost_numbers), cost);
    return o;
}

static json_t *stage_json(const clv_plan_stage *stage)
{
    json_t *o = json_object();
    put_numbers(o, stage_numbers, CLV_COUNT(stage_numbers), stage);
    return o;
}

static json_t *ints_json(const int *items, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(a, json_integer(items[i]));
    return a;
}

static void put_chain(json_t *object, const clv_plan_chain *chain)
{
    json_object_set_new(object, "cuts", ints_json(chain->cut, CLV_PLAN_DEVICES_MAX));
    json_object_set_new(object, "codecs", ints_json(chain->codec, CLV_PLAN_DEVICES_MAX));
}

static json_t *rival_json(const clv_plan_rival *rival)
{
    json_t *o = json_object();
    put_chain(o, &rival->chain);
    json_object_set_new(o, "cost", cost_json(&rival->cost));
    return o;
}

/* Names of a model may be any bytes; JSON's text may not. */
static json_t *text_json(const char *text)
{
    json_t *t = json_string(text);
    if (t) return t;
    CLV_AUTO(clv_text_free) char *plain = clv_strdup(text);
    for (char *c = plain; *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    return json_string(plain);
}

char *clv_plan_json(const clv_plan *plan)
{
    json_t *root = json_object(), *stages = json_array(), *rivals = json_array();
    json_t *units = json_array();
    json_object_set_new(root, "schema", json_integer(CLV_PLAN_SCHEMA));
    json_object_set_new(root, "planner", json_string(clv_planner_name(plan->planner)));
    json_object_set_new(root, "binding", json_string(clv_plan_limit_name(plan->binding)));
    json_object_set_new(root, "why", text_json(plan->why));
    put_numbers(root, plan_numbers, CLV_COUNT(plan_numbers), plan);
    json_object_set_new(root, "gap", isfinite(plan->gap) ? json_real(plan->gap) : json_null());
    put_chain(root, &plan->chain);
    json_object_set_new(root, "cost", cost_json(&plan->cost));
    for (size_t k = 0; k < plan->n_stages; k++)
        json_array_append_new(stages, stage_json(&plan->stages[k]));
    for (size_t i = 0; i < plan->n_rivals; i++)
        json_array_append_new(rivals, rival_json(&plan->rivals[i]));
    for (size_t u = 0; u < plan->n_units; u++)
        json_array_append_new(units, json_integer(plan->unit_device[u]));
    json_object_set_new(root, "stages", stages);
    json_object_set_new(root, "rivals", rivals);
    json_object_set_new(root, "unit_devices", units);
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    return text;
}

/* ---- reading ---- */

static clv_status get_whole(const clv_place *at, const char *key, const json_t *v, int64_t min,
                            int64_t max, int64_t *out, clv_error *err)
{
    if (!json_is_integer(v)) return clv_field_bad(err, at, key, "must be an integer");
    int64_t x = json_integer_value(v);
    if (x < min || x > max)
        return clv_fail(err, CLV_EINVAL,
                        "field '%s%s': %" PRId64 " is not within %" PRId64 " and %" PRId64,
                        at->path, key, x, min, max);
    *out = x;
    return CLV_OK;
}

static clv_status get_numbers(const clv_place *at, const number *numbers, size_t n, void *of,
                              clv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(at->object, numbers[i].name);
        int64_t value;
        if (get_whole(at, numbers[i].name, v, numbers[i].min, numbers[i].max, &value, err))
            return CLV_EINVAL;
        number_set(&numbers[i], of, value);
    }
    return CLV_OK;
}

static clv_status get_cost(const clv_place *of, clv_plan_cost *cost, clv_error *err)
{
    clv_place at;
    if (clv_field_object(of, "cost", &at, err)) return CLV_EINVAL;
    return get_numbers(&at, cost_numbers, CLV_COUNT(cost_numbers), cost, err);
}

/* One integer a device. */
static clv_status get_ints(const clv_place *at, const char *key, int min, int max, int *out,
                           clv_error *err)
{
    const json_t *a;
    clv_status status = clv_field_array(at, key, CLV_PLAN_DEVICES_MAX, &a, err);
    if (status) return status;
    if (json_array_size(a) != CLV_PLAN_DEVICES_MAX)
        return clv_field_bad(err, at, key, "must have 8 items");
    for (size_t i = 0; i < CLV_PLAN_DEVICES_MAX; i++) {
        int64_t value;
        if (get_whole(at, key, json_array_get(a, i), min, max, &value, err)) return CLV_EINVAL;
        out[i] = (int)value;
    }
    return CLV_OK;
}

static clv_status get_chain(const clv_place *at, clv_plan_chain *chain, clv_error *err)
{
    clv_status status = get_ints(at, "cuts", CLV_PLAN_NO_CUT, INT_MAX, chain->cut, err);
    if (status) return status;
    return get_ints(at, "codecs", 0, CLV_PLAN_CODECS_MAX - 1, chain->codec, err);
}

static clv_status get_stages(const clv_place *root, clv_plan *plan, clv_error *err)
{
    const json_t *a;
    clv_place at;
    clv_status status = clv_field_array(root, "stages", CLV_PLAN_DEVICES_MAX, &a, err);
    for (size_t k = 0; status == CLV_OK && k < json_array_size(a); k++) {
        status = clv_field_item(root, a, "stages", k, &at, err);
        if (status) break;
        status = get_numbers(&at, stage_numbers, CLV_COUNT(stage_numbers), &plan->stages[k], err);
        plan->n_stages = k + 1;
    }
    if (status == CLV_OK && !plan->n_stages)
        return clv_field_bad(err, root, "stages", "must have an item");
    return status;
}

static clv_status get_rivals(const clv_place *root, clv_plan *plan, clv_error *err)
{
    const json_t *a;
    clv_place at;
    clv_status status = clv_field_array(root, "rivals", CLV_PLAN_RIVALS_MAX, &a, err);
    for (size_t i = 0; status == CLV_OK && i < json_array_size(a); i++) {
        clv_plan_rival *rival = &plan->rivals[plan->n_rivals++];
        status = clv_field_item(root, a, "rivals", i, &at, err);
        if (status == CLV_OK) status = get_chain(&at, &rival->chain, err);
        if (status == CLV_OK) status = get_cost(&at, &rival->cost, err);
    }
    return status;
}

static clv_status get_units(const clv_place *root, clv_plan *plan, clv_error *err)
{
    const json_t *a;
    clv_status status = clv_field_array(root, "unit_devices", CLV_UNITS_MAX, &a, err);
    if (status) return status;
    plan->n_units = json_array_size(a);
    plan->unit_device = clv_alloc_array(plan->n_units + 1, sizeof *plan->unit_device);
    for (size_t u = 0; u < plan->n_units; u++) {
        int64_t device, last = (int64_t)plan->n_stages - 1;
        if (get_whole(root, "unit_devices", json_array_get(a, u), 0, last, &device, err))
            return CLV_EINVAL;
        plan->unit_device[u] = (uint8_t)device;
    }
    return CLV_OK;
}

typedef const char *name_of(int value);

static const char *planner_name(int value)
{
    return clv_planner_name((clv_planner)value);
}
static const char *limit_name(int value)
{
    return clv_plan_limit_name((clv_plan_limit)value);
}

/* The value of a closed set that goes by this name. */
static clv_status get_name(const clv_place *at, const char *key, name_of *name, int count, int *out,
                           clv_error *err)
{
    char text[64];
    clv_status status = clv_field_fixed_text(at, key, text, sizeof text, err);
    if (status) return status;
    for (int i = 0; i < count; i++)
        if (strcmp(text, name(i)) == 0) {
            *out = i;
            return CLV_OK;
        }
    return clv_fail(err, CLV_EINVAL, "field '%s%s': '%s' is not known", at->path, key, text);
}

static clv_status get_head(const clv_place *root, clv_plan *plan, clv_error *err)
{
    int planner = 0, binding = 0;
    int64_t schema = 0;
    if (clv_field_count(root, "schema", INT64_MAX, &schema, err)) return CLV_EINVAL;
    if (schema != CLV_PLAN_SCHEMA)
        return clv_fail(err, CLV_EMISMATCH, "schema %" PRId64 ", this program reads %d", schema,
                        CLV_PLAN_SCHEMA);
    if (get_name(root, "planner", planner_name, CLV_PLANNER_COUNT, &planner, err) ||
        get_name(root, "binding", limit_name, CLV_LIMIT_COUNT, &binding, err) ||
        get_numbers(root, plan_numbers, CLV_COUNT(plan_numbers), plan, err))
        return CLV_EINVAL;
    plan->planner = (clv_planner)planner;
    plan->binding = (clv_plan_limit)binding;
    plan->gap = (double)INFINITY;
    if (!json_is_null(json_object_get(root->object, "gap")) &&
        clv_field_real(root, "gap", 0, 1e300, &plan->gap, err))
        return CLV_EINVAL;
    return clv_field_fixed_text(root, "why", plan->why, sizeof plan->why, err);
}

clv_status clv_plan_parse(const char *json, size_t bytes, clv_plan *out, clv_error *err)
{
    if (bytes > CLV_PLAN_TEXT_MAX)
        return clv_fail(err, CLV_ELIMIT, "plan: %zu bytes, at most %d are allowed", bytes,
                        CLV_PLAN_TEXT_MAX);
    json_error_t where;
    CLV_AUTO(clv_json_free)
    json_t *document = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &where);
    if (!document) return clv_fail(err, CLV_EINVAL, "plan: line %d: %s", where.line, where.text);
    clv_place root = {.object = document};
    if (!json_is_object(document)) return clv_fail(err, CLV_EINVAL, "plan: must be an object");
    clv_plan plan = {.n_units = 0};
    clv_status status = get_head(&root, &plan, err);
    if (status == CLV_OK) status = get_chain(&root, &plan.chain, err);
    if (status == CLV_OK) status = get_cost(&root, &plan.cost, err);
    if (status == CLV_OK) status = get_stages(&root, &plan, err);
    if (status == CLV_OK) status = get_rivals(&root, &plan, err);
    if (status == CLV_OK) status = get_units(&root, &plan, err);
    if (status == CLV_OK)
        *out = plan;
    else
        clv_plan_done(&plan);
    return status == CLV_OK ? CLV_OK : clv_within(err, "plan");
}
