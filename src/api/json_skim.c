#include "api/json_skim.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_DEPTH = 3 }; /* root object, inputs array, one input */

typedef struct skim {
    const char *text, *at, *end;
    size_t depth;
    char open[PATH_DEPTH + 1]; /* the bracket that opened depth 1..3 */
    bool in_inputs;            /* the newest key of the root is "inputs" */
    clv_json_skim *out;
} skim;

static int line_of(const skim *s, const char *at)
{
    int line = 1;
    for (const char *p = s->text; p < at; p++) line += *p == '\n';
    return line;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void skip_space(skim *s)
{
    while (s->at < s->end && is_space(*s->at)) s->at++;
}

/* From the opening quote to behind the closing one. */
static clv_status skip_string(skim *s, clv_error *err)
{
    const char *start = s->at++;
    for (; s->at < s->end; s->at++) {
        if (*s->at == '\\')
            s->at++;
        else if (*s->at == '"') {
            s->at++;
            return CLV_OK;
        }
    }
    s->at = s->end;
    return clv_fail(err, CLV_EINVAL, "request JSON, line %d: a string does not end",
                    line_of(s, start));
}

/* Is any of the eight bytes a quote, or a bracket (bits 6 and 4 set: also P..Z, p..z)? */
static inline bool eight_special(const char *at)
{
    uint64_t w;
    memcpy(&w, at, sizeof w);
    uint64_t quote = w ^ 0x2222222222222222;
    quote = (quote - 0x0101010101010101) & ~quote & 0x8080808080808080;
    return (quote | (w & w << 2 & 0x4040404040404040)) != 0;
}

/* From an opening bracket to behind the one that closes it. */
static clv_status skip_nested(skim *s, clv_error *err)
{
    const char *start = s->at;
    size_t depth = 0;
    while (s->at < s->end) {
        if (s->end - s->at >= 8 && !eight_special(s->at)) {
            s->at += 8;
            continue;
        }
        char c = *s->at;
        if (c == '"') {
            clv_status st = skip_string(s, err);
            if (st) return st;
            continue;
        }
        s->at++;
        if (c == '[' || c == '{') depth++;
        if ((c == ']' || c == '}') && --depth == 0) return CLV_OK;
    }
    return clv_fail(err, CLV_EINVAL, "request JSON, line %d: an array or object does not end",
                    line_of(s, start));
}

static clv_status skip_value(skim *s, clv_error *err)
{
    if (s->at < s->end && (*s->at == '[' || *s->at == '{')) return skip_nested(s, err);
    if (s->at < s->end && *s->at == '"') return skip_string(s, err);
    while (s->at < s->end && !is_space(*s->at) && !strchr(",]}", *s->at)) s->at++;
    return CLV_OK;
}

static clv_status copy(skim *s, const char *from, clv_error *err)
{
    size_t n = (size_t)(s->at - from);
    if (s->out->rest.len + n > CLV_JSON_REST_MAX)
        return clv_fail(err, CLV_ELIMIT, "request JSON without its data is over %d bytes",
                        CLV_JSON_REST_MAX);
    clv_buf_add(&s->out->rest, from, n);
    return CLV_OK;
}

/* The value of an input's "data": note it, and put its index in its place. */
static clv_status take_span(skim *s, clv_error *err)
{
    clv_json_skim *out = s->out;
    const char *from = s->at;
    skip_space(s);
    const char *start = s->at;
    clv_status st = skip_value(s, err);
    if (st) return st;
    if (s->at == start) return CLV_OK; /* no value: the parser will say so */
    if (out->n_spans == CLV_JSON_SPANS_MAX)
        return clv_fail(err, CLV_ELIMIT, "more than %d inputs", CLV_JSON_SPANS_MAX);
    clv_grow(&out->spans, &out->cap, out->n_spans + 1, sizeof *out->spans);
    out->spans[out->n_spans] = (clv_json_span){start, (size_t)(s->at - start), line_of(s, start)};
    clv_buf_printf(&out->rest, "%zu", out->n_spans++);
    for (const char *p = from; p < s->at; p++) {
        if (!(p = memchr(p, '\n', (size_t)(s->at - p)))) break;
        clv_buf_char(&out->rest, '\n');
    }
    return CLV_OK;
}

static bool key_is(const char *from, const skim *s, const char *key)
{
    size_t n = (size_t)(s->at - from);
    return n == strlen(key) + 2 && memcmp(from + 1, key, n - 2) == 0;
}

/* A string: a key if a colon follows. */
static clv_status take_string(skim *s, clv_error *err)
{
    const char *from = s->at;
    clv_status st = skip_string(s, err);
    if (st) return st;
    bool inputs = key_is(from, s, "inputs"), data = key_is(from, s, "data");
    const char *behind = s->at;
    skip_space(s);
    if (s->at == s->end || *s->at != ':') {
        s->at = behind;
        return copy(s, from, err);
    }
    s->at++;
    if (s->depth == 1) s->in_inputs = inputs;
    if ((st = copy(s, from, err))) return st;
    bool in_input = s->depth == PATH_DEPTH && s->in_inputs && memcmp(s->open + 1, "{[{", 3) == 0;
    return data && in_input ? take_span(s, err) : CLV_OK;
}

clv_status clv_json_skim_text(const char *text, size_t bytes, clv_json_skim *out, clv_error *err)
{
    clv_json_skim result = {0};
    skim s = {.text = text, .at = text, .end = text + bytes, .out = &result};
    clv_status st = CLV_OK;
    while (!st && s.at < s.end) {
        if (*s.at == '"') {
            st = take_string(&s, err);
            continue;
        }
        const char *from = s.at;
        char c = *s.at++;
        if (c == '[' || c == '{') {
            if (++s.depth <= PATH_DEPTH) s.open[s.depth] = c;
        } else if ((c == ']' || c == '}') && s.depth > 0) {
            s.depth--;
        }
        st = copy(&s, from, err);
    }
    if (st)
        clv_json_skim_done(&result);
    else
        *out = result;
    return st;
}

void clv_json_skim_done(clv_json_skim *s)
{
    clv_buf_done(&s->rest);
    free(s->spans);
    *s = (clv_json_skim){0};
}
