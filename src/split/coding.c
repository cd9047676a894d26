#include "split/coding.h"

#include "base/mem.h"

static clv_tensor view_of(const clv_tensor *t)
{
    clv_tensor view = clv_tensor_view(t->name, t->dtype, t->shape, t->data, t->bytes);
    view.coded = t->coded;
    return view;
}

clv_status clv_coding_write(clv_codec codec, const clv_tensor *tensors, size_t n, clv_tensors *out,
                            clv_error *err)
{
    clv_tensors made = {0};
    for (size_t i = 0; i < n; i++) {
        clv_tensor t;
        if (tensors[i].coded || !clv_dtype_bytes(tensors[i].dtype)) {
            clv_tensors_add(&made, view_of(&tensors[i]));
            continue;
        }
        clv_status st = clv_codec_encode(codec, &tensors[i], &t, err);
        if (st) {
            clv_tensors_done(&made);
            return st;
        }
        clv_tensors_add(&made, t);
    }
    for (size_t i = 0; i < made.n; i++) clv_tensors_add(out, made.items[i]);
    made.n = 0;
    clv_tensors_done(&made);
    return CLV_OK;
}

/* Is it what the segment declares, and how many bytes will it have? */
static clv_status check(const clv_tensor *t, const clv_tensor_spec *spec, size_t *bytes,
                        clv_error *err)
{
    bool fits = spec->shape.rank < 0 || clv_shape_fits(&t->shape, &spec->shape);
    if (t->dtype != spec->dtype || !fits)
        return clv_fail(err, CLV_EINVAL, "tensor '%s': an encoding of %s %s, it should be %s %s",
                        t->name, clv_dtype_oip(t->dtype), clv_shape_show(&t->shape).s,
                        clv_dtype_oip(spec->dtype), clv_shape_show(&spec->shape).s);
    size_t count, element = clv_dtype_bytes(t->dtype);
    if (!element)
        return clv_fail(err, CLV_EINVAL, "tensor '%s': %s is not coded between nodes", t->name,
                        clv_dtype_oip(t->dtype));
    clv_status st = clv_shape_count(&t->shape, &count, err);
    if (st) return clv_within(err, "tensor '%s'", t->name);
    if (count > (CLV_CODING_BYTES_MAX - *bytes) / element)
        return clv_fail(err, CLV_ELIMIT,
                        "tensor '%s': an encoding of %s %s; what a request has coded may become "
                        "%zu bytes at most",
                        t->name, clv_dtype_oip(t->dtype), clv_shape_show(&t->shape).s,
                        CLV_CODING_BYTES_MAX);
    *bytes += count * element;
    return CLV_OK;
}

clv_status clv_coding_read(const clv_tensors *tensors, const clv_tensor_spec *specs, size_t n,
                           clv_tensors *plain, clv_error *err)
{
    size_t bytes = clv_tensors_bytes(plain);
    for (size_t i = 0; i < n; i++) {
        const clv_tensor *t = clv_tensors_find(tensors, specs[i].name);
        if (!t || !t->coded || clv_tensors_find(plain, specs[i].name)) continue;
        clv_tensor made;
        clv_status st = check(t, &specs[i], &bytes, err);
        if (!st) st = clv_codec_decode(t, &made, err);
        if (st) return st;
        clv_tensors_add(plain, made);
    }
    return CLV_OK;
}
