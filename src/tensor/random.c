#include "tensor/random.h"

#include <string.h>

/* IEEE half of a float of ordinary size (|x| < 65504), rounded towards zero. */
static uint16_t half_bits(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    uint32_t sign = b >> 16 & 0x8000;
    int exponent = (int)(b >> 23 & 0xff) - 112;
    if (exponent <= 0) return (uint16_t)sign;
    return (uint16_t)(sign | (uint32_t)exponent << 10 | (b >> 13 & 0x3ff));
}

static void put(void *data, clv_dtype dtype, size_t i, clv_rng *rng)
{
    size_t size = clv_dtype_bytes(dtype);
    char *at = (char *)data + i * size;
    float f = (float)clv_rng_normal(rng);
    double d = f;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint16_t half = half_bits(f), brain = (uint16_t)(bits >> 16);
    switch (dtype) {
    case CLV_F32: memcpy(at, &f, size); return;
    case CLV_F64: memcpy(at, &d, size); return;
    case CLV_F16: memcpy(at, &half, size); return;
    case CLV_BF16: memcpy(at, &brain, size); return;
    case CLV_U8:
    case CLV_I8:
    case CLV_U16:
    case CLV_I16:
    case CLV_I32:
    case CLV_I64:
    case CLV_U32:
    case CLV_U64:
    case CLV_BOOL:
        memset(at, 0, size);
        *at = f > 0; /* little endian: the lowest byte comes first */
        return;
    case CLV_TEXT:
    case CLV_DTYPE_NONE:
    case CLV_DTYPE_COUNT: return;
    }
}

clv_status clv_tensor_fill_random(clv_tensor *t, clv_rng *rng, clv_error *err)
{
    size_t size = clv_dtype_bytes(t->dtype);
    if (size == 0)
        return clv_fail(err, CLV_EUNSUPPORTED, "input '%s': no random values for datatype %s",
                        t->name, clv_dtype_oip(t->dtype));
    for (size_t i = 0; i < t->bytes / size; i++) put(t->data, t->dtype, i, rng);
    return CLV_OK;
}

clv_status clv_tensors_random(const clv_tensor_spec *specs, size_t n, int64_t batch, clv_rng *rng,
                              clv_tensors *out, clv_error *err)
{
    clv_tensors made = {0};
    for (size_t i = 0; i < n; i++) {
        clv_shape shape = specs[i].shape;
        if (shape.rank < 0) shape.rank = 0;
        for (int k = 0; k < shape.rank; k++)
            if (shape.dim[k] < 0) shape.dim[k] = k == 0 ? batch : 1;
        clv_tensor t;
        clv_status status = clv_tensor_new(&t, specs[i].name, specs[i].dtype, shape, err);
        if (!status) {
            clv_tensors_add(&made, t);
            status = clv_tensor_fill_random(&made.items[i], rng, err);
        }
        if (status) {
            clv_tensors_done(&made);
            return status;
        }
    }
    for (size_t i = 0; i < n; i++) {
        clv_tensors_add(out, made.items[i]);
        made.items[i] = (clv_tensor){0};
    }
    clv_tensors_done(&made);
    return CLV_OK;
}
