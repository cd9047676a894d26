#include "tensor/tensor.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

clv_shape clv_shape_of(int rank, ...)
{
    clv_shape s = {.rank = rank};
    va_list ap;
    va_start(ap, rank);
    for (int i = 0; i < rank && i < CLV_RANK_MAX; i++) s.dim[i] = va_arg(ap, int);
    va_end(ap);
    return s;
}

bool clv_shape_equal(const clv_shape *a, const clv_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

bool clv_shape_fits(const clv_shape *concrete, const clv_shape *declared)
{
    if (declared->rank < 0) return true;
    if (concrete->rank != declared->rank) return false;
    for (int i = 0; i < declared->rank; i++)
        if (declared->dim[i] >= 0 && declared->dim[i] != concrete->dim[i]) return false;
    return true;
}

clv_status clv_shape_count(const clv_shape *s, size_t *count, clv_error *err)
{
    if (s->rank < 0 || s->rank > CLV_RANK_MAX)
        return clv_fail(err, CLV_EINVAL, "rank %d: 0 to %d are allowed", s->rank, CLV_RANK_MAX);
    size_t product = 1;
    bool overflow = false, empty = false;
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 0)
            return clv_fail(err, CLV_EINVAL, "shape %s: dimension %d is not known",
                            clv_shape_show(s).s, i);
        if (s->dim[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(product, (size_t)s->dim[i], &product))
            overflow = true;
    }
    if (overflow && !empty)
        return clv_fail(err, CLV_ELIMIT, "shape %s: too many elements", clv_shape_show(s).s);
    *count = empty ? 0 : product;
    return CLV_OK;
}

clv_shape_text clv_shape_show(const clv_shape *s)
{
    /* 12 dimensions of 20 characters, 11 commas, brackets and NUL: 254 */
    clv_shape_text text = {"?"};
    if (s->rank < 0) return text;
    size_t at = 0;
    text.s[at++] = '[';
    for (int i = 0; i < s->rank && i < CLV_RANK_MAX; i++) {
        if (i) text.s[at++] = ',';
        int n = s->dim[i] == -1
                    ? snprintf(text.s + at, sizeof text.s - at, "?")
                    : snprintf(text.s + at, sizeof text.s - at, "%lld", (long long)s->dim[i]);
        at += (size_t)n;
    }
    text.s[at++] = ']';
    text.s[at] = 0;
    return text;
}

/* Bytes that dtype and shape ask for; of TEXT those of as many empty elements. */
static clv_status bytes_of(clv_dtype dtype, const clv_shape *shape, size_t *bytes, clv_error *err)
{
    size_t count, size = dtype == CLV_TEXT ? 4 : clv_dtype_bytes(dtype);
    if (!size) return clv_fail(err, CLV_EINVAL, "unknown element type %d", (int)dtype);
    clv_status st = clv_shape_count(shape, &count, err);
    if (st) return st;
    if (count > CLV_TENSOR_BYTES_MAX / size)
        return clv_fail(err, CLV_ELIMIT, "%s %s: more than %zu bytes", clv_dtype_oip(dtype),
                        clv_shape_show(shape).s, CLV_TENSOR_BYTES_MAX);
    *bytes = count * size;
    return CLV_OK;
}

clv_status clv_tensor_new(clv_tensor *t, const char *name, clv_dtype dtype, clv_shape shape,
                          clv_error *err)
{
    size_t bytes;
    if (bytes_of(dtype, &shape, &bytes, err)) return clv_within(err, "tensor '%s'", name);
    void *data = clv_try_alloc(bytes);
    if (!data)
        return clv_fail(err, CLV_ELIMIT, "tensor '%s': no memory for %zu bytes", name, bytes);
    if (dtype == CLV_TEXT) memset(data, 0, bytes);
    *t = (clv_tensor){.name = clv_strdup(name),
                      .dtype = dtype,
                      .shape = shape,
                      .data = data,
                      .bytes = bytes,
                      .release = free,
                      .owner = data};
    return CLV_OK;
}

clv_tensor clv_tensor_view(const char *name, clv_dtype dtype, clv_shape shape, const void *data,
                           size_t bytes)
{
    clv_tensor t = {.name = clv_strdup(name), .dtype = dtype, .shape = shape, .bytes = bytes};
    memcpy(&t.data, &data, sizeof data); /* readers do not write through a view */
    return t;
}

void clv_tensor_done(clv_tensor *t)
{
    if (!t) return;
    if (t->release) t->release(t->owner);
    free(t->name);
    *t = (clv_tensor){0};
}

static clv_status check_text(const clv_tensor *t, size_t count, clv_error *err)
{
    const unsigned char *at = t->data;
    size_t left = t->bytes;
    for (size_t i = 0; i < count; i++) {
        if (left < 4)
            return clv_fail(err, CLV_EINVAL, "tensor '%s': BYTES %s ends before element %zu",
                            t->name, clv_shape_show(&t->shape).s, i);
        size_t n = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
        if (n > left - 4)
            return clv_fail(err, CLV_EINVAL,
                            "tensor '%s': element %zu claims %zu bytes, %zu are left", t->name, i,
                            n, left - 4);
        at += 4 + n;
        left -= 4 + n;
    }
    if (left)
        return clv_fail(err, CLV_EINVAL, "tensor '%s': %zu bytes behind the last of %zu elements",
                        t->name, left, count);
    return CLV_OK;
}

clv_status clv_tensor_check(const clv_tensor *t, clv_error *err)
{
    size_t count, bytes;
    if (!t->name) return clv_fail(err, CLV_EINVAL, "a tensor has no name");
    if (strlen(t->name) > CLV_NAME_MAX)
        return clv_fail(err, CLV_ELIMIT, "tensor name '%.40s...' is longer than %d", t->name,
                        CLV_NAME_MAX);
    if (bytes_of(t->dtype, &t->shape, &bytes, err) || clv_shape_count(&t->shape, &count, err))
        return clv_within(err, "tensor '%s'", t->name);
    if (!t->data && t->bytes)
        return clv_fail(err, CLV_EINVAL, "tensor '%s': %zu bytes are missing", t->name, t->bytes);
    if (t->bytes > CLV_TENSOR_BYTES_MAX)
        return clv_fail(err, CLV_ELIMIT, "tensor '%s': %zu bytes, at most %zu are allowed", t->name,
                        t->bytes, CLV_TENSOR_BYTES_MAX);
    if (t->coded) return CLV_OK;
    if (t->dtype == CLV_TEXT) return check_text(t, count, err);
    if (t->bytes != bytes)
        return clv_fail(err, CLV_EINVAL, "tensor '%s': %zu bytes, %s %s needs %zu", t->name,
                        t->bytes, clv_dtype_oip(t->dtype), clv_shape_show(&t->shape).s, bytes);
    return CLV_OK;
}

void clv_tensors_add(clv_tensors *list, clv_tensor take)
{
    clv_grow(&list->items, &list->cap, list->n + 1, sizeof *list->items);
    list->items[list->n++] = take;
}

clv_tensor *clv_tensors_find(const clv_tensors *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].name && strcmp(list->items[i].name, name) == 0) return &list->items[i];
    return NULL;
}

void clv_tensors_done(clv_tensors *list)
{
    if (!list) return;
    for (size_t i = 0; i < list->n; i++) clv_tensor_done(&list->items[i]);
    free(list->items);
    *list = (clv_tensors){0};
}

size_t clv_tensors_bytes(const clv_tensors *list)
{
    size_t sum = 0;
    for (size_t i = 0; i < list->n; i++) sum += list->items[i].bytes;
    return sum;
}
