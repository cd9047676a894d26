#include "cli/input.h"
#include "base/file.h"
#include "base/unit.h"
#include "cli/picture.h"
#include "tensor/npy.h"
#include "tensor/random.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const clv_opt clv_input_opts[CLV_INPUT_OPTS] = {
    CLV_OPT(clv_input_options, files, LIST, "input", NULL, .letter = 'i', .arg = "[NAME=]FILE",
            .help = ".npy, .png, .jpg, .raw or .bin, once for each input of the model"),
    CLV_OPT(clv_input_options, random, TEXT, "random", NULL, .arg = "SEED",
            .help = "make what has no file: normal values, integers 0 or 1"),
    CLV_OPT(clv_input_options, shapes, LIST, "shape", NULL, .arg = "[NAME=]1x3x224x224",
            .help = "shape of an input whose dimensions the model leaves free"),
    CLV_OPT(clv_input_options, mean, LIST, "mean", NULL, .arg = "M,M,M",
            .help = "of pixels in 0..1, one a channel (default ImageNet's, 0 for grey)"),
    CLV_OPT(clv_input_options, std, LIST, "std", NULL, .arg = "S,S,S",
            .help = "standard deviation, likewise (default ImageNet's, 1 for grey)"),
};

typedef enum kind { KIND_NPY, KIND_IMAGE, KIND_RAW, KIND_UNKNOWN } kind;

static kind kind_of(const char *path)
{
    static const struct {
        const char *suffix;
        kind kind;
    } known[] = {{".npy", KIND_NPY},    {".png", KIND_IMAGE}, {".jpg", KIND_IMAGE},
                 {".jpeg", KIND_IMAGE}, {".raw", KIND_RAW},   {".bin", KIND_RAW}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < CLV_COUNT(known); i++)
        if (strcasecmp(dot, known[i].suffix) == 0) return known[i].kind;
    return KIND_UNKNOWN;
}

/* "'a' FP32 [?,3,224,224], 'b' INT64 [1]": what the model wants, for messages. */
static void list_specs(const clv_tensor_spec *specs, size_t n, clv_buf *out)
{
    for (size_t i = 0; i < n; i++)
        clv_buf_printf(
            out, "%s'%s' %s %s", i ? ", " : "", specs[i].name, clv_dtype_oip(specs[i].dtype),
            specs[i].shape.rank < 0 ? "of any shape" : clv_shape_show(&specs[i].shape).s);
}

/* "NAME=VALUE" or, where there is one input, "VALUE". `*index` is the input's. */
static clv_status assign(const char *text, const char *flag, const clv_tensor_spec *specs, size_t n,
                         size_t *index, const char **value, clv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(specs[i].name);
        if (strncmp(text, specs[i].name, length) != 0 || text[length] != '=') continue;
        *index = i;
        *value = text + length + 1;
        return CLV_OK;
    }
    bool named = strchr(text, '=') && !clv_file_exists(text);
    if (n == 1 && !named) {
        *index = 0;
        *value = text;
        return CLV_OK;
    }
    CLV_AUTO(clv_buf_done) clv_buf known = {0};
    list_specs(specs, n, &known);
    if (!named)
        return clv_fail(err, CLV_EUSAGE, "%s %s: say which input, %s NAME=%s; the model has %s",
                        flag, text, flag, text, known.data);
    return clv_fail(err, CLV_EUSAGE, "%s %s: no input has this name; the model has %s", flag, text,
                    known.data);
}

/* For each input its entry in a list of options, or NULL. */
static clv_status assign_all(const clv_text_list *list, const char *flag,
                             const clv_tensor_spec *specs, size_t n, const char **values,
                             clv_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        size_t index = 0;
        const char *value = NULL;
        clv_status st = assign(list->items[i], flag, specs, n, &index, &value, err);
        if (st) return st;
        if (values[index])
            return clv_fail(err, CLV_EUSAGE, "%s: input '%s' is given twice, %s and %s", flag,
                            specs[index].name, values[index], value);
        values[index] = value;
    }
    return CLV_OK;
}

/* "1x3x224x224" */
static clv_status parse_shape(const char *text, clv_shape *out, clv_error *err)
{
    clv_shape shape = {0};
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "xX");
        CLV_AUTO(clv_text_free) char *word = clv_strndup(at, n);
        if (shape.rank == CLV_RANK_MAX || clv_parse_int(word, &shape.dim[shape.rank++], NULL) ||
            shape.dim[shape.rank - 1] < 1)
            return clv_fail(err, CLV_EUSAGE, "--shape %s: sizes are wanted, e.g. 1x3x224x224",
                            text);
        at += n + (at[n] != 0);
    }
    *out = shape;
    return CLV_OK;
}

/* What the model declares, with what --shape says of it. */
static clv_status declared_shape(const clv_tensor_spec *spec, const char *text, clv_shape *out,
                                 clv_error *err)
{
    clv_shape shape = spec->shape;
    if (text) {
        clv_status st = parse_shape(text, &shape, err);
        if (st) return st;
        if (spec->shape.rank >= 0 && !clv_shape_fits(&shape, &spec->shape))
            return clv_fail(err, CLV_EUSAGE, "--shape %s: input '%s' is %s", text, spec->name,
                            clv_shape_show(&spec->shape).s);
    }
    *out = shape;
    return CLV_OK;
}

/* Set the free batch to `batch`; no other dimension may be free. */
static clv_status make_concrete(const clv_tensor_spec *spec, clv_shape *shape, int64_t batch,
                                clv_error *err)
{
    if (shape->rank < 0)
        return clv_fail(err, CLV_EUSAGE,
                        "input '%s': the model does not say its shape, add --shape %s=1x3x224x224",
                        spec->name, spec->name);
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] >= 0) continue;
        if (i > 0)
            return clv_fail(err, CLV_EUSAGE,
                            "input '%s' is %s: say the free sizes with --shape %s=1x3x224x224",
                            spec->name, clv_shape_show(&spec->shape).s, spec->name);
        shape->dim[i] = batch;
    }
    return CLV_OK;
}

static clv_status read_npy(const char *path, const clv_tensor_spec *spec, const clv_shape *declared,
                           clv_tensor *out, clv_error *err)
{
    clv_status st = clv_npy_read(path, spec->name, out, err);
    if (st) return st;
    clv_shape *s = &out->shape;
    if (declared->rank == s->rank + 1 && (declared->dim[0] == 1 || declared->dim[0] == -1)) {
        memmove(&s->dim[1], &s->dim[0], (size_t)s->rank * sizeof s->dim[0]);
        s->dim[0] = 1;
        s->rank++;
    }
    if (out->dtype != spec->dtype)
        st = clv_fail(err, CLV_EINVAL, "%s: dtype %s, input '%s' is %s (numpy: x.astype('%s'))",
                      path, clv_dtype_oip(out->dtype), spec->name, clv_dtype_oip(spec->dtype),
                      clv_dtype_npy(spec->dtype) ? clv_dtype_npy(spec->dtype) : "?");
    else if (declared->rank >= 0 && !clv_shape_fits(s, declared))
        st = clv_fail(err, CLV_EINVAL, "%s: shape %s, input '%s' is %s", path, clv_shape_show(s).s,
                      spec->name, clv_shape_show(declared).s);
    if (st) clv_tensor_done(out);
    return st;
}

static clv_status read_raw(const char *path, const clv_tensor_spec *spec, clv_shape shape,
                           clv_tensor *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf file = {0};
    clv_status st = clv_file_read(path, CLV_TENSOR_BYTES_MAX, &file, err);
    bool free_batch = shape.rank > 0 && shape.dim[0] < 0;
    size_t count = 0, size = clv_dtype_bytes(spec->dtype);
    if (!st) st = make_concrete(spec, &shape, 1, err);
    if (!st && !size)
        st = clv_fail(err, CLV_EUNSUPPORTED, "%s: input '%s' is %s, which has no raw form", path,
                      spec->name, clv_dtype_oip(spec->dtype));
    if (!st) st = clv_shape_count(&shape, &count, err);
    if (st) return st;
    if (count > SIZE_MAX / size) return clv_fail(err, CLV_ELIMIT, "input '%s'", spec->name);
    size_t item = count * size;
    if (free_batch && item && file.len && file.len % item == 0)
        shape.dim[0] = (int64_t)(file.len / item);
    else if (file.len != item)
        return clv_fail(err, CLV_EINVAL, "%s: %zu bytes, input '%s' %s %s has %zu%s", path,
                        file.len, spec->name, clv_dtype_oip(spec->dtype), clv_shape_show(&shape).s,
                        item, free_batch ? " or a multiple" : "");
    st = clv_tensor_new(out, spec->name, spec->dtype, shape, err);
    if (!st && file.len) memcpy(out->data, file.data, file.len);
    return st;
}

static clv_status from_file(const clv_input_options *o, const char *path,
                            const clv_tensor_spec *spec, clv_shape shape, clv_tensor *out,
                            clv_error *err)
{
    clv_picture picture;
    clv_status st;
    switch (kind_of(path)) {
    case KIND_NPY: return read_npy(path, spec, &shape, out, err);
    case KIND_RAW: return read_raw(path, spec, shape, out, err);
    case KIND_IMAGE:
        st = make_concrete(spec, &shape, 1, err);
        if (!st) st = clv_picture_for(&o->mean, &o->std, spec, &shape, &picture, err);
        if (st) return clv_within(err, "%s", path);
        return clv_picture_read(&picture, path, spec->name, out, err);
    case KIND_UNKNOWN: break;
    }
    return clv_fail(err, CLV_EUSAGE,
                    "%s: its kind is told by the end of its name: .npy, .png, .jpg, .raw or .bin",
                    path);
}

static clv_status make_one(const clv_input_options *o, const char *path, clv_rng *rng,
                           const clv_tensor_spec *spec, clv_shape shape, clv_tensor *out,
                           clv_error *err)
{
    if (path) return from_file(o, path, spec, shape, out, err);
    if (!o->random)
        return clv_fail(
            err, CLV_EUSAGE, "input '%s' %s %s is missing: add --input %s=FILE or --random 1",
            spec->name, clv_dtype_oip(spec->dtype), clv_shape_show(&spec->shape).s, spec->name);
    clv_tensor t;
    clv_status st = make_concrete(spec, &shape, 1, err);
    if (!st) st = clv_tensor_new(&t, spec->name, spec->dtype, shape, err);
    if (st) return st;
    st = clv_tensor_fill_random(&t, rng, err);
    if (st)
        clv_tensor_done(&t);
    else
        *out = t;
    return st;
}

clv_status clv_inputs_make(const clv_input_options *o, const clv_tensor_spec *specs, size_t n,
                           clv_tensors *out, clv_error *err)
{
    CLV_AUTO(clv_free) const char **files = clv_alloc_array(n + 1, sizeof *files);
    CLV_AUTO(clv_free) const char **shapes = clv_alloc_array(n + 1, sizeof *shapes);
    int64_t seed = 0;
    clv_status st = assign_all(&o->files, "--input", specs, n, files, err);
    if (!st) st = assign_all(&o->shapes, "--shape", specs, n, shapes, err);
    if (!st && o->random && clv_parse_int(o->random, &seed, err)) st = clv_within(err, "--random");
    clv_rng rng = clv_rng_seeded((uint64_t)seed);
    for (size_t i = 0; i < n && !st; i++) {
        clv_tensor t = {0};
        clv_shape shape;
        st = declared_shape(&specs[i], shapes[i], &shape, err);
        if (!st) st = make_one(o, files[i], &rng, &specs[i], shape, &t, err);
        if (!st) clv_tensors_add(out, t);
    }
    if (st) clv_tensors_done(out);
    return st;
}
