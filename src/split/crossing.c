#include "split/crossing.h"

#include "base/buf.h"
#include "base/mem.h"
#include "tensor/codec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Is `name` one of the codecs in `list`, "q8/raw"? */
static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; *at; at += *at == '/') {
        size_t word = strcspn(at, "/");
        if (word == n && strncmp(at, name, n) == 0) return true;
        at += word;
    }
    return false;
}

/* One more codec, as long as there is room. */
static void add_codec(char list[CLV_CROSSING_CODEC_MAX], const char *name)
{
    size_t used = strlen(list), n = strlen(name);
    if (listed(list, name) || used + 1 + n >= CLV_CROSSING_CODEC_MAX) return;
    if (used) list[used++] = '/';
    memcpy(list + used, name, n + 1);
}

static int64_t plain_bytes(const clv_tensor *t)
{
    size_t count, element = clv_dtype_bytes(t->dtype);
    bool fixed = t->coded && element && clv_shape_count(&t->shape, &count, NULL) == CLV_OK;
    if (!fixed) return (int64_t)t->bytes;
    return (int64_t)CLV_MIN(count, (size_t)CLV_CROSSING_BYTES_MAX / element) * (int64_t)element;
}

clv_crossing clv_crossing_of(const clv_tensor *tensors, size_t n)
{
    clv_crossing c = {0};
    for (size_t i = 0; i < n; i++) {
        clv_codec codec = {0};
        bool sound = !tensors[i].coded || clv_codec_of(&tensors[i], &codec, NULL) == CLV_OK;
        add_codec(c.codec, sound ? clv_codec_show(codec).s : "?");
        c.tensor_bytes = CLV_MIN(c.tensor_bytes + plain_bytes(&tensors[i]), CLV_CROSSING_BYTES_MAX);
        c.coded_bytes = CLV_MIN(c.coded_bytes + (int64_t)tensors[i].bytes, CLV_CROSSING_BYTES_MAX);
    }
    if (n == 0) add_codec(c.codec, "raw");
    return c;
}

clv_crossings clv_crossings_of(const clv_crossing *first, const clv_crossings *behind)
{
    clv_crossings c = {.hops = {*first}, .n = 1};
    for (size_t k = 0; k < behind->n && c.n < CLV_CROSSINGS_MAX; k++)
        c.hops[c.n++] = behind->hops[k];
    return c;
}

char *clv_crossings_text(const clv_crossings *c)
{
    clv_buf text = {0};
    for (size_t k = 0; k < c->n; k++) {
        clv_buf_printf(&text, "%s%s", k > 0 ? ";" : "", c->hops[k].codec);
#define X(name, about) clv_buf_printf(&text, ",%lld", (long long)c->hops[k].name);
        CLV_CROSSING_MAP(X)
#undef X
    }
    return clv_buf_take(&text);
}

static clv_status take_codec(const char **at, char out[CLV_CROSSING_CODEC_MAX], clv_error *err)
{
    size_t n = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789+/?");
    if (n == 0) return clv_fail(err, CLV_EINVAL, "'%.20s' begins with no codec", *at);
    if (n >= CLV_CROSSING_CODEC_MAX)
        return clv_fail(err, CLV_ELIMIT, "a codec's name of %zu bytes, at most %d are allowed", n,
                        CLV_CROSSING_CODEC_MAX - 1);
    memcpy(out, *at, n);
    out[n] = 0;
    *at += n;
    return CLV_OK;
}

/* ",123" */
static clv_status take_bytes(const char **at, int64_t *out, clv_error *err)
{
    int64_t bytes = 0;
    if (**at != ',' || !isdigit((unsigned char)(*at)[1]))
        return clv_fail(err, CLV_EINVAL, "'%.20s' where a comma and a number of bytes should be",
                        *at);
    for (++*at; isdigit((unsigned char)**at); ++*at) {
        bytes = bytes * 10 + (**at - '0');
        if (bytes > CLV_CROSSING_BYTES_MAX)
            return clv_fail(err, CLV_ELIMIT, "more than %lld bytes on a hop",
                            (long long)CLV_CROSSING_BYTES_MAX);
    }
    *out = bytes;
    return CLV_OK;
}

static clv_status take_hop(const char **at, clv_crossing *c, clv_error *err)
{
    int64_t *const counts[] = {
#define X(name, about) &c->name,
        CLV_CROSSING_MAP(X)
#undef X
    };
    clv_status s = take_codec(at, c->codec, err);
    for (size_t i = 0; i < CLV_COUNT(counts) && !s; i++) s = take_bytes(at, counts[i], err);
    return s;
}

clv_status clv_crossings_parse(const char *text, clv_crossings *out, clv_error *err)
{
    clv_crossings c = {0};
    for (const char *at = text; *at;) {
        if (c.n == CLV_CROSSINGS_MAX)
            return clv_fail(err, CLV_ELIMIT, "more than %d hops crossed", CLV_CROSSINGS_MAX);
        clv_status s = take_hop(&at, &c.hops[c.n++], err);
        if (s) return s;
        if (*at && (*at != ';' || !at[1]))
            return clv_fail(err, CLV_EINVAL, "'%.20s' behind what crossed a hop", at);
        at += *at == ';';
    }
    *out = c;
    return CLV_OK;
}
