#include "repo/verify.h"

#include <math.h>
#include <string.h>

static double half_to_double(uint16_t h)
{
    int exponent = h >> 10 & 31;
    double fraction = (h & 1023) / 1024.0, value;
    if (exponent == 31)
        value = h & 1023 ? NAN : INFINITY;
    else
        value = exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14);
    return h >> 15 ? -value : value;
}

static bool is_floating(clv_dtype t)
{
    return t == CLV_F32 || t == CLV_F64 || t == CLV_F16 || t == CLV_BF16;
}

static double element(const clv_tensor *t, size_t i)
{
    size_t size = clv_dtype_bytes(t->dtype);
    const unsigned char *p = (const unsigned char *)t->data + i * size;
    float f;
    double d;
    uint16_t h;
    uint32_t wide;
    switch (size) {
    case 8: memcpy(&d, p, 8); return d;
    case 4: memcpy(&f, p, 4); return (double)f;
    default: memcpy(&h, p, 2); break;
    }
    if (t->dtype == CLV_F16) return half_to_double(h);
    wide = (uint32_t)h << 16;
    memcpy(&f, &wide, 4);
    return (double)f;
}

clv_difference clv_tensor_difference(const clv_tensor *got, const clv_tensor *expected)
{
    const clv_difference other = {.absolute = INFINITY, .relative = INFINITY};
    bool same_kind =
        got->dtype == expected->dtype && clv_shape_equal(&got->shape, &expected->shape);
    if (!same_kind || got->bytes != expected->bytes) return other;
    if (!got->bytes || memcmp(got->data, expected->data, got->bytes) == 0)
        return (clv_difference){.exact = true};
    if (!is_floating(got->dtype)) return other;
    size_t n = got->bytes / clv_dtype_bytes(got->dtype);
    double largest = 0, worst = 0;
    for (size_t i = 0; i < n; i++) {
        double a = element(got, i), b = element(expected, i);
        if (isfinite(b)) largest = fmax(largest, fabs(b));
        if (a == b || (isnan(a) && isnan(b))) continue;
        if (!isfinite(a) || !isfinite(b)) return other;
        worst = fmax(worst, fabs(a - b));
    }
    return (clv_difference){.absolute = worst,
                            .relative = worst > 0 ? (largest > 0 ? worst / largest : INFINITY) : 0};
}
