#include "api/json_data.h"

#include "api/json_number.h"
#include "api/json_string.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct cursor {
    const clv_json_span *in;
    const char *at, *end;
    clv_dtype dtype;
    const clv_shape *shape;
    size_t n, count;  /* elements so far, elements wanted */
    uint8_t *numbers; /* where they go, or */
    clv_buf text;     /* serialised BYTES */
} cursor;

static clv_status fail(const cursor *c, clv_error *err, const char *what)
{
    int line = c->in->line;
    for (const char *p = c->in->text; p < c->at; p++) line += *p == '\n';
    return clv_fail(err, CLV_EINVAL, "element %zu (line %d): %s", c->n, line, what);
}

static inline void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

static bool take_word(cursor *c, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) return false;
    c->at += n;
    return true;
}

/* The range of each integer dtype; the others are all zero. */
typedef struct range {
    int64_t min;
    uint64_t max;
} range;
static const range ranges[CLV_DTYPE_COUNT] = {
    [CLV_BOOL] = {0, 1},
    [CLV_U8] = {0, UINT8_MAX},
    [CLV_U16] = {0, UINT16_MAX},
    [CLV_U32] = {0, UINT32_MAX},
    [CLV_U64] = {0, UINT64_MAX},
    [CLV_I8] = {INT8_MIN, INT8_MAX},
    [CLV_I16] = {INT16_MIN, INT16_MAX},
    [CLV_I32] = {INT32_MIN, INT32_MAX},
    [CLV_I64] = {INT64_MIN, INT64_MAX},
};

static clv_status take_integer(cursor *c, clv_error *err)
{
    uint64_t bits;
    clv_json_number number;
    size_t bytes = clv_dtype_bytes(c->dtype);
    if (c->dtype == CLV_BOOL && (take_word(c, "true") || take_word(c, "false"))) {
        bits = c->at[-2] == 'u';
    } else {
        if (!clv_json_number_scan(c->at, c->end, &number)) return fail(c, err, "not a number");
        if (!clv_json_number_int(&number, ranges[c->dtype].min, ranges[c->dtype].max, &bits))
            return fail(c, err, "not an integer in the range of the datatype");
        c->at += number.bytes;
    }
    memcpy(c->numbers + c->n * bytes, &bits, bytes); /* little-endian: the low bytes */
    return CLV_OK;
}

static clv_status take_real(cursor *c, clv_error *err)
{
    clv_json_number number;
    if (!clv_json_number_scan(c->at, c->end, &number)) return fail(c, err, "not a number");
    if (c->dtype == CLV_F32) {
        float value = clv_json_number_float(&number);
        if (!isfinite(value)) return fail(c, err, "out of range for FP32");
        memcpy(c->numbers + c->n * sizeof value, &value, sizeof value);
    } else {
        double value = clv_json_number_double(&number);
        if (!isfinite(value)) return fail(c, err, "out of range for FP64");
        memcpy(c->numbers + c->n * sizeof value, &value, sizeof value);
    }
    c->at += number.bytes;
    return CLV_OK;
}

static clv_status take_text(cursor *c, clv_error *err)
{
    size_t before = c->text.len;
    uint32_t length = 0;
    clv_buf_add(&c->text, &length, sizeof length);
    const char *behind = clv_json_string_read(c->at, c->end, &c->text);
    if (!behind) return fail(c, err, "not a JSON string");
    length = (uint32_t)(c->text.len - before - sizeof length);
    memcpy(c->text.data + before, &length, sizeof length);
    c->at = behind;
    return CLV_OK;
}

static clv_status take_element(cursor *c, clv_error *err)
{
    clv_status st;
    if (c->n == c->count) return fail(c, err, "more elements than the shape has");
    switch (c->dtype) {
    case CLV_F32:
    case CLV_F64: st = take_real(c, err); break;
    case CLV_TEXT: st = take_text(c, err); break;
    default: st = take_integer(c, err);
    }
    if (!st) c->n++;
    return st;
}

/* How deep we are and how many items each open array has. */
typedef struct nest {
    int depth, elements_at; /* elements stand at this depth: 1 if flat, else the rank */
    int64_t items[CLV_RANK_MAX + 1];
} nest;

static clv_status open_array(cursor *c, nest *at, clv_error *err)
{
    if (at->depth == at->elements_at) return fail(c, err, "nested deeper than the shape");
    at->items[at->depth++]++;
    at->items[at->depth] = 0;
    c->at++;
    return CLV_OK;
}

static clv_status close_array(cursor *c, nest *at, clv_error *err)
{
    if (at->elements_at > 1 && at->items[at->depth] != c->shape->dim[at->depth - 1])
        return fail(c, err, "an array has another length than the shape's dimension");
    at->depth--;
    c->at++;
    return CLV_OK;
}

/* Flat or nested: what the first thing in the outer array is, tells. */
static int elements_depth(const cursor *c)
{
    cursor ahead = *c;
    ahead.at++;
    skip_space(&ahead);
    return ahead.at < ahead.end && *ahead.at == '[' && c->shape->rank > 1 ? c->shape->rank : 1;
}

static clv_status take_array(cursor *c, clv_error *err)
{
    skip_space(c);
    if (c->at == c->end || *c->at != '[') return fail(c, err, "data is not an array");
    nest at = {.elements_at = elements_depth(c)};
    bool value_next = true, first = true; /* `first`: the array may also end here */
    do {
        skip_space(c);
        if (c->at == c->end) return fail(c, err, "the array does not end");
        clv_status st = CLV_OK;
        if (value_next && *c->at == '[') {
            st = open_array(c, &at, err);
            first = true;
        } else if (*c->at == ']' && (first || !value_next)) {
            st = close_array(c, &at, err);
            value_next = first = false;
        } else if (!value_next) {
            if (*c->at++ != ',') return fail(c, err, "expected ',' or ']'");
            value_next = true;
        } else {
            if (at.depth < at.elements_at)
                return fail(c, err, "expected '[' (shape has more dimensions)");
            st = take_element(c, err);
            at.items[at.depth]++;
            value_next = first = false;
        }
        if (st) return st;
    } while (at.depth > 0);
    skip_space(c);
    return c->at == c->end ? CLV_OK : fail(c, err, "text behind the array");
}

static clv_status parse(cursor *c, const char *name, clv_tensor *out, clv_error *err)
{
    if (c->dtype == CLV_F16 || c->dtype == CLV_BF16 || c->dtype == CLV_DTYPE_NONE)
        return clv_fail(err, CLV_EINVAL, "%s cannot be written in JSON: use the binary extension",
                        clv_dtype_oip(c->dtype));
    clv_status st = clv_shape_count(c->shape, &c->count, err);
    if (st) return st;
    if (c->count > c->in->bytes) /* an element takes a character at least: allocate no lies */
        return fail(c, err, "fewer elements than the shape has");
    clv_tensor t;
    if (c->dtype == CLV_TEXT)
        t = clv_tensor_view(name, c->dtype, *c->shape, NULL, 0);
    else if ((st = clv_tensor_new(&t, name, c->dtype, *c->shape, err)))
        return st;
    c->numbers = t.data;
    st = take_array(c, err);
    if (!st && c->n != c->count) st = fail(c, err, "fewer elements than the shape has");
    if (!st && c->dtype == CLV_TEXT) {
        t.bytes = c->text.len;
        t.data = t.owner = clv_buf_take(&c->text);
        t.release = free;
    }
    if (st)
        clv_tensor_done(&t);
    else
        *out = t;
    return st;
}

clv_status clv_json_data_parse(const clv_json_span *in, const char *name, clv_dtype dtype,
                               const clv_shape *shape, clv_tensor *out, clv_error *err)
{
    cursor c = {
        .in = in, .at = in->text, .end = in->text + in->bytes, .dtype = dtype, .shape = shape};
    clv_status st = parse(&c, name, out, err);
    clv_buf_done(&c.text);
    return st ? clv_within(err, "tensor '%s'", name) : CLV_OK;
}
