#include "engine/fake.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fault {
    int left;
    clv_status status;
} fault;

typedef struct fake_engine {
    clv_engine base;
    clv_fake_options o; /* specs are owned copies */
    clv_tensor_spec *inputs, *outputs;
    pthread_mutex_t lock; /* guards what follows */
    fault compile_fault, run_fault;
    int compiles, runs;
} fake_engine;

typedef struct fake_session {
    clv_session base;
    fake_engine *engine;
} fake_session;

static clv_status take_fault(fake_engine *e, fault *f, int *count, const char *what, clv_error *err)
{
    pthread_mutex_lock(&e->lock);
    (*count)++;
    bool fails = f->left > 0;
    if (fails) f->left--;
    clv_status status = f->status;
    pthread_mutex_unlock(&e->lock);
    return fails ? clv_fail(err, status, "fake engine: %s was told to fail", what) : CLV_OK;
}

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3u; /* FNV-1a */
    return h;
}

/* Deterministic bytes that are valid elements: floats get an exponent that keeps them finite. */
static void fill(clv_tensor *t, uint64_t h)
{
    unsigned char *p = t->data;
    for (size_t i = 0; i < t->bytes; i++) {
        h = h * 6364136223846793005u + 1442695040888963407u;
        p[i] = (unsigned char)(h >> 56);
    }
    size_t size = clv_dtype_bytes(t->dtype);
    if (t->dtype == CLV_BOOL)
        for (size_t i = 0; i < t->bytes; i++) p[i] &= 1;
    if (t->dtype == CLV_F32 || t->dtype == CLV_F64 || t->dtype == CLV_F16 || t->dtype == CLV_BF16)
        for (size_t i = size - 1; i < t->bytes; i += size) p[i] &= 0xBF;
}

static clv_status make_output(const clv_tensor_spec *spec, int64_t batch, uint64_t h,
                              clv_tensors *outputs, clv_error *err)
{
    clv_shape shape = spec->shape;
    for (int d = 0; d < shape.rank; d++)
        if (shape.dim[d] < 0) shape.dim[d] = batch;
    if (spec->dtype == CLV_TEXT)
        return clv_fail(err, CLV_EUNSUPPORTED, "fake engine: output '%s' is text", spec->name);
    clv_tensor t;
    clv_status status = clv_tensor_new(&t, spec->name, spec->dtype, shape, err);
    if (status) return status;
    fill(&t, mix(h, spec->name, strlen(spec->name)));
    clv_tensors_add(outputs, t);
    return CLV_OK;
}

static clv_status fake_run(clv_session *s, const clv_tensor *inputs, size_t n, clv_tensors *outputs,
                           clv_error *err)
{
    fake_engine *e = ((fake_session *)s)->engine;
    CLV_AUTO(clv_free) const clv_tensor **matched = clv_alloc_array(s->n_inputs, sizeof *matched);
    clv_status status = clv_session_match(s, inputs, n, matched, err);
    if (status) return status;
    clv_sleep_us(e->o.run_us);
    status = take_fault(e, &e->run_fault, &e->runs, "a run", err);
    if (status) return status;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s->n_inputs; i++) h = mix(h, matched[i]->data, matched[i]->bytes);
    int64_t batch = s->n_inputs && matched[0]->shape.rank > 0 ? matched[0]->shape.dim[0] : 1;
    clv_tensors made = {0};
    for (size_t i = 0; i < s->n_outputs && !status; i++)
        status = make_output(&s->outputs[i], batch, h, &made, err);
    for (size_t i = 0; i < made.n && !status; i++) {
        clv_tensors_add(outputs, made.items[i]);
        made.items[i] = (clv_tensor){0};
    }
    clv_tensors_done(&made);
    return status;
}

static void fake_session_free(clv_session *s)
{
    free(s);
}

static const clv_session_ops fake_session_ops = {.run = fake_run, .free = fake_session_free};

static clv_status fake_compile(clv_engine *base, const clv_source *source, clv_session **out,
                               clv_error *err)
{
    (void)source;
    fake_engine *e = (fake_engine *)base;
    clv_sleep_us(e->o.compile_us);
    clv_status status = take_fault(e, &e->compile_fault, &e->compiles, "compiling", err);
    if (status) return status;
    fake_session *s = clv_alloc(sizeof *s);
    s->base = (clv_session){.ops = &fake_session_ops,
                            .inputs = e->inputs,
                            .outputs = e->outputs,
                            .n_inputs = e->o.n_inputs,
                            .n_outputs = e->o.n_outputs};
    s->engine = e;
    *out = &s->base;
    return CLV_OK;
}

static void fake_free(clv_engine *base)
{
    fake_engine *e = (fake_engine *)base;
    clv_specs_free(e->inputs, e->o.n_inputs);
    clv_specs_free(e->outputs, e->o.n_outputs);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static const clv_engine_ops fake_ops = {.compile = fake_compile, .free = fake_free};

clv_engine *clv_fake_engine_new(const clv_fake_options *options)
{
    fake_engine *e = clv_alloc(sizeof *e);
    e->base.ops = &fake_ops;
    snprintf(e->base.device, sizeof e->base.device, "fake");
    snprintf(e->base.description, sizeof e->base.description, "fake engine for tests");
    e->o = *options;
    e->inputs = clv_specs_copy(options->inputs, options->n_inputs);
    e->outputs = clv_specs_copy(options->outputs, options->n_outputs);
    pthread_mutex_init(&e->lock, NULL);
    return &e->base;
}

static void set_fault(fake_engine *e, fault *f, int n, clv_status status)
{
    pthread_mutex_lock(&e->lock);
    *f = (fault){.left = n, .status = status};
    pthread_mutex_unlock(&e->lock);
}

void clv_fake_fail_compiles(clv_engine *e, int n, clv_status status)
{
    set_fault((fake_engine *)e, &((fake_engine *)e)->compile_fault, n, status);
}

void clv_fake_fail_runs(clv_engine *e, int n, clv_status status)
{
    set_fault((fake_engine *)e, &((fake_engine *)e)->run_fault, n, status);
}

static int counted(const clv_engine *e, size_t offset)
{
    fake_engine *fake = (fake_engine *)(uintptr_t)e;
    pthread_mutex_lock(&fake->lock);
    int n;
    memcpy(&n, (char *)fake + offset, sizeof n);
    pthread_mutex_unlock(&fake->lock);
    return n;
}

int clv_fake_compiles(const clv_engine *e)
{
    return counted(e, offsetof(fake_engine, compiles));
}

int clv_fake_runs(const clv_engine *e)
{
    return counted(e, offsetof(fake_engine, runs));
}
