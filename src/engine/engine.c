#include "engine/engine.h"
#include "base/mem.h"
#include "engine/session.h"

#include <stdlib.h>
#include <string.h>

clv_status clv_engine_compile(clv_engine *e, const clv_source *source, clv_session **out,
                              clv_error *err)
{
    if (e->ops->compile(e, source, out, err) == CLV_OK) return CLV_OK;
    return clv_within(err, "%s", source->name ? source->name : "model");
}

clv_status clv_engine_optimise(clv_engine *e, const clv_source *source, void **model, size_t *bytes,
                               clv_error *err)
{
    if (!e->ops->optimise)
        return clv_fail(err, CLV_EUNSUPPORTED, "engine '%s' cannot show its optimised graph",
                        e->description);
    if (e->ops->optimise(e, source, model, bytes, err) == CLV_OK) return CLV_OK;
    return clv_within(err, "%s", source->name ? source->name : "model");
}

clv_status clv_engine_trace(clv_engine *e, const clv_source *source, const clv_tensor *inputs,
                            size_t n_inputs, int runs, clv_trace *out, clv_error *err)
{
    if (!e->ops->trace)
        return clv_fail(err, CLV_EUNSUPPORTED, "engine '%s' cannot tell what each operator takes",
                        e->description);
    clv_trace made = {0};
    if (e->ops->trace(e, source, inputs, n_inputs, runs, &made, err) != CLV_OK) {
        clv_trace_done(&made);
        return clv_within(err, "%s", source->name ? source->name : "model");
    }
    *out = made;
    return CLV_OK;
}

void clv_trace_done(clv_trace *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->steps[i].name);
        free(t->steps[i].op);
    }
    free(t->steps);
    *t = (clv_trace){0};
}

struct clv_pool *clv_engine_pool_new(clv_engine *e)
{
    return e->ops->pool_new ? e->ops->pool_new(e) : NULL;
}

void clv_engine_pool_free(clv_engine *e, struct clv_pool *pool)
{
    if (pool && e->ops->pool_free) e->ops->pool_free(e, pool);
}

void clv_engine_free(clv_engine *e)
{
    if (e) e->ops->free(e);
}

clv_status clv_session_run(clv_session *s, const clv_tensor *inputs, size_t n, clv_tensors *outputs,
                           clv_error *err)
{
    return s->ops->run(s, inputs, n, outputs, err);
}

void clv_session_free(clv_session *s)
{
    if (s) s->ops->free(s);
}

/* ---- shared by the implementations ---- */

static clv_status check_input(const clv_tensor_spec *spec, const clv_tensor *t, clv_error *err)
{
    if (clv_tensor_check(t, err)) return clv_within(err, "input '%s'", spec->name);
    if (t->dtype != spec->dtype)
        return clv_fail(err, CLV_EINVAL, "input '%s': dtype %s, expected %s", spec->name,
                        clv_dtype_oip(t->dtype), clv_dtype_oip(spec->dtype));
    if (spec->shape.rank >= 0 && !clv_shape_fits(&t->shape, &spec->shape))
        return clv_fail(err, CLV_EINVAL, "input '%s': shape %s, expected %s", spec->name,
                        clv_shape_show(&t->shape).s, clv_shape_show(&spec->shape).s);
    return CLV_OK;
}

clv_status clv_session_match(const clv_session *s, const clv_tensor *given, size_t n,
                             const clv_tensor **matched, clv_error *err)
{
    for (size_t i = 0; i < s->n_inputs; i++) {
        const clv_tensor *t = NULL;
        for (size_t k = 0; k < n && !t; k++)
            if (given[k].name && strcmp(given[k].name, s->inputs[i].name) == 0) t = &given[k];
        if (!t) return clv_fail(err, CLV_EINVAL, "input '%s' is missing", s->inputs[i].name);
        if (check_input(&s->inputs[i], t, err)) return err ? err->status : CLV_EINVAL;
        matched[i] = t;
    }
    return CLV_OK;
}

void clv_specs_free(clv_tensor_spec *specs, size_t n)
{
    for (size_t i = 0; specs && i < n; i++) free(specs[i].name);
    free(specs);
}

clv_tensor_spec *clv_specs_copy(const clv_tensor_spec *specs, size_t n)
{
    clv_tensor_spec *copy = clv_alloc_array(n, sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = specs[i];
        copy[i].name = clv_strdup(specs[i].name);
    }
    return copy;
}
