#include "tensor/codec_quant.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIPPED_ONE_OF = 2000,
    ZERO_ROOM = 32000,
    LEVELS = 255,
    EVEN_LEVELS = CLV_CODEC_CODES - 1,
    PIECE = 512 /* levels at a time, on the way to codes and back */
};

/* Where values are below 0. */
static const clv_codec_book even = {
    .level = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    .threshold = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
/* Where none is, and most are small: level 255 (k / 15)^1.5 for code k. */
static const clv_codec_book dense = {
    .level = {0, 4, 12, 23, 35, 49, 65, 81, 99, 119, 139, 160, 182, 206, 230, 255},
    .threshold = {2, 8, 18, 29, 42, 57, 73, 90, 109, 129, 150, 171, 194, 218, 243}};

static uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* The least step that is not below `need`. */
static float step_at_least(double need, bool coarse)
{
    if (need < CLV_CODEC_STEP_MIN) return CLV_CODEC_STEP_MIN;
    float step = (float)need;
    if (step < need) step = float_of(bits_of(step) + 1);
    if (coarse) step = float_of((bits_of(step) + 0xffff) & 0xffff0000);
    return step;
}

clv_codec_scale clv_codec_scale_of(float lo, float hi, int levels, bool coarse)
{
    double most = fmax(fabs((double)lo), fabs((double)hi));
    double need = fmax(((double)hi - (double)lo) / levels, most / ZERO_ROOM);
    clv_codec_scale s;
    do {
        s.step = step_at_least(need, coarse);
        s.inverse = 1 / s.step;
        s.zero = nearbyintf(lo * s.inverse);
        need *= 1 + 0x1p-10; /* rounding of the products may cost a level: once is enough */
    } while (nearbyintf(hi * s.inverse) - s.zero > (float)levels);
    s.zero += 0.0f; /* not -0 */
    return s;
}

static bool has_scale(float f)
{
    return fabsf(f) <= CLV_CODEC_VALUE_MAX; /* NaN: no */
}

/* The `n` largest of what was offered, the least of them first. */
typedef struct heap {
    float *items;
    size_t n;
} heap;

static void sink(heap *h, size_t at, float x)
{
    for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && h->items[child + 1] < h->items[child]) child++;
        if (x <= h->items[child]) break;
        h->items[at] = h->items[child];
    }
    h->items[at] = x;
}

/* Takes the first h->n values, with the sign turned where it looks for the smallest. */
static void fill(heap *h, const void *x, float sign)
{
    memcpy(h->items, x, h->n * sizeof *h->items);
    for (size_t i = 0; i < h->n; i++) h->items[i] *= sign;
    for (size_t i = h->n / 2; i-- > 0;) sink(h, i, h->items[i]);
}

/* Range without the n - 1 lowest and highest, where both heaps have n items. */
static bool clipped_range(const clv_codec_kernel *k, const void *x, size_t n, heap *lows,
                          heap *highs, clv_codec_range *r)
{
    const unsigned char *at = x;
    clv_codec_range first = clv_codec_no_range;
    k->range(x, lows->n, &first);
    if (!has_scale(float_of(first.magnitude))) return false;
    fill(lows, x, -1);
    fill(highs, x, 1);
    for (size_t i = lows->n; i < n; i++) {
        i += k->outside(at + 4 * i, n - i, -lows->items[0], highs->items[0]);
        if (i == n) break;
        float f;
        memcpy(&f, at + 4 * i, sizeof f);
        if (!has_scale(f)) return false;
        if (-f > lows->items[0]) sink(lows, 0, -f);
        if (f > highs->items[0]) sink(highs, 0, f);
    }
    r->lo = -lows->items[0];
    r->hi = highs->items[0];
    return true;
}

/* False when the values have no scale. `scratch` has room for two heaps of the block's clipped values and one. */
static bool range_of(const clv_codec_kernel *k, const clv_codec_layout *l, const clv_codec_block *b,
                     const void *x, float *scratch, clv_codec_range *r)
{
    size_t clipped = l->quant == CLV_QUANT_Q4 ? b->n / CLIPPED_ONE_OF : 0;
    if (clipped) {
        heap lows = {scratch, clipped + 1}, highs = {scratch + clipped + 1, clipped + 1};
        return clipped_range(k, x, b->n, &lows, &highs, r);
    }
    *r = clv_codec_no_range;
    k->range(x, b->n, r);
    return has_scale(float_of(r->magnitude));
}

/* What the codes of a block with this scale stand for. */
static const clv_codec_book *book_of(const clv_codec_scale *s)
{
    return s->zero < 0 ? &even : &dense;
}

static clv_codec_scale scale_of(const clv_codec_layout *l, const clv_codec_range *r)
{
    if (l->quant != CLV_QUANT_Q4) return clv_codec_scale_of(r->lo, r->hi, LEVELS, false);
    clv_codec_scale s = clv_codec_scale_of(r->lo, r->hi, EVEN_LEVELS, true);
    return s.zero < 0 ? s : clv_codec_scale_of(fmaxf(r->lo, 0), r->hi, LEVELS, true);
}

static void to_codes(const clv_codec_kernel *k, const void *values, size_t n,
                     const clv_codec_scale *s, unsigned char *codes)
{
    const unsigned char *x = values;
    uint8_t levels[PIECE];
    for (size_t i = 0; i < n; i += PIECE) {
        size_t m = CLV_MIN(n - i, (size_t)PIECE);
        k->to8(x + 4 * i, m, s, levels);
        k->fold(levels, m, book_of(s), codes + i / 2);
    }
}

static void from_codes(const clv_codec_kernel *k, const unsigned char *codes, size_t n,
                       const clv_codec_scale *s, void *values)
{
    unsigned char *out = values;
    uint8_t levels[PIECE];
    for (size_t i = 0; i < n; i += PIECE) {
        size_t m = CLV_MIN(n - i, (size_t)PIECE);
        k->unfold(codes + i / 2, m, book_of(s), levels);
        k->from8(levels, m, s, out + 4 * i);
    }
}

bool clv_codec_quantise(const clv_codec_kernel *k, const clv_codec_layout *l, const void *values,
                        unsigned char *body)
{
    const unsigned char *x = values;
    if (l->quant == CLV_QUANT_F16) {
        k->to16(x, l->values, body);
        return true;
    }
    size_t heap_items = l->block_values / CLIPPED_ONE_OF + 1;
    CLV_AUTO(clv_free) float *scratch = NULL;
    if (l->quant == CLV_QUANT_Q4 && heap_items > 1) {
        scratch = clv_try_alloc(2 * heap_items * sizeof *scratch);
        if (!scratch) return false;
    }
    for (clv_codec_block b = {0}; clv_codec_next_block(l, &b);) {
        clv_codec_range r;
        if (!range_of(k, l, &b, x + 4 * b.first, scratch, &r)) return false;
        clv_codec_scale s = scale_of(l, &r);
        clv_codec_put_scale(l, b.index, s, body);
        unsigned char *to = body + b.levels_at;
        if (l->quant == CLV_QUANT_Q4)
            to_codes(k, x + 4 * b.first, b.n, &s, to);
        else
            k->to8(x + 4 * b.first, b.n, &s, to);
    }
    return true;
}

clv_status clv_codec_check_body(const clv_codec_layout *l, const unsigned char *body,
                                clv_error *err)
{
    for (clv_codec_block b = {0}; clv_codec_next_block(l, &b);) {
        clv_codec_scale s = clv_codec_get_scale(l, b.index, body);
        if (!clv_codec_scale_sound(s))
            return clv_fail(err, CLV_EPROTO, "scale %zu of %zu has the step %g", b.index, l->blocks,
                            (double)s.step);
        if (l->quant == CLV_QUANT_Q4 && b.n % 2 && body[b.levels_at + b.level_bytes - 1] > 15)
            return clv_fail(err, CLV_EPROTO, "block %zu of %zu has a level too many", b.index,
                            l->blocks);
    }
    return CLV_OK;
}

void clv_codec_dequantise(const clv_codec_kernel *k, const clv_codec_layout *l,
                          const unsigned char *body, void *values)
{
    unsigned char *out = values;
    if (l->quant == CLV_QUANT_F16) k->from16(body, l->values, out);
    for (clv_codec_block b = {0}; clv_codec_next_block(l, &b);) {
        clv_codec_scale s = clv_codec_get_scale(l, b.index, body);
        if (l->quant == CLV_QUANT_Q4)
            from_codes(k, body + b.levels_at, b.n, &s, out + 4 * b.first);
        else
            k->from8(body + b.levels_at, b.n, &s, out + 4 * b.first);
    }
}

/* Half a unit of the last place of the largest half. */
static double half_error(const unsigned char *body, size_t n)
{
    int largest = 0;
    for (size_t i = 0; i < n; i++) {
        int half = (body[2 * i] | body[2 * i + 1] << 8) & 0x7fff;
        if (half == 0x7c00) return INFINITY;
        if (half < 0x7c00) largest = CLV_MAX(largest, half);
    }
    return ldexp(1, CLV_MAX(largest >> 10, 1) - 15 - 11);
}

/* How far a level may be from that of its code: the last gap is the widest. */
static int code_off(const clv_codec_book *b)
{
    return (b->level[CLV_CODEC_CODES - 1] - b->level[CLV_CODEC_CODES - 2]) / 2;
}

double clv_codec_error_max(const clv_codec_layout *l, const unsigned char *body)
{
    if (l->quant == CLV_QUANT_F16) return half_error(body, l->values);
    double most = 0;
    for (size_t i = 0; i < l->blocks; i++) {
        clv_codec_scale s = clv_codec_get_scale(l, i, body);
        int off = l->quant == CLV_QUANT_Q4 ? code_off(book_of(&s)) : 0;
        most = fmax(most, (off + CLV_CODEC_ERROR_STEPS) * s.step);
    }
    return most;
}
