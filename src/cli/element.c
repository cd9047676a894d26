#include "cli/element.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

size_t clv_element_count(const clv_tensor *t)
{
    size_t count, size = clv_dtype_bytes(t->dtype);
    if (clv_shape_count(&t->shape, &count, NULL)) return 0;
    return size ? CLV_MIN(count, t->bytes / size) : count;
}

bool clv_element_floating(clv_dtype dtype)
{
    return dtype == CLV_F16 || dtype == CLV_BF16 || dtype == CLV_F32 || dtype == CLV_F64;
}

static double of_half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 0    ? ldexp(fraction, -24)
                   : exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                                    : ldexp(1024 + fraction, exponent - 25);
    return bits & 0x8000 ? -value : value;
}

static double of_brain(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return (double)value;
}

/* A copy of the element at `at` in a variable of its own type: views may be unaligned. */
#define READ(type)                                                                                 \
    {                                                                                              \
        type value;                                                                                \
        memcpy(&value, at, sizeof value);                                                          \
        return (double)value;                                                                      \
    }

double clv_element(const clv_tensor *t, size_t i)
{
    const char *at = (const char *)t->data + i * clv_dtype_bytes(t->dtype);
    uint16_t half = 0;
    if (t->dtype == CLV_F16 || t->dtype == CLV_BF16) memcpy(&half, at, sizeof half);
    switch (t->dtype) {
    case CLV_F32: READ(float)
    case CLV_F64: READ(double)
    case CLV_U8: READ(uint8_t)
    case CLV_I8: READ(int8_t)
    case CLV_U16: READ(uint16_t)
    case CLV_I16: READ(int16_t)
    case CLV_U32: READ(uint32_t)
    case CLV_I32: READ(int32_t)
    case CLV_U64: READ(uint64_t)
    case CLV_I64: READ(int64_t)
    case CLV_BOOL: READ(uint8_t)
    case CLV_F16: return of_half(half);
    case CLV_BF16: return of_brain(half);
    case CLV_TEXT:
    case CLV_DTYPE_NONE:
    case CLV_DTYPE_COUNT: break;
    }
    return (double)NAN;
}

bool clv_element_text(const clv_tensor *t, size_t *at, const char **text, size_t *bytes)
{
    uint32_t n;
    if (t->dtype != CLV_TEXT || t->bytes < sizeof n || *at > t->bytes - sizeof n) return false;
    memcpy(&n, (const char *)t->data + *at, sizeof n);
    if (n > t->bytes - *at - sizeof n) return false;
    *text = (const char *)t->data + *at + sizeof n;
    *bytes = n;
    *at += sizeof n + n;
    return true;
}
