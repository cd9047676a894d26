#include "plan/plan_text.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 256 };

static bool plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("_./+#-", c));
}

/* ---- writing ---- */

/* A lone "-" is a device that runs nothing. */
static bool needs_quotes(const char *name)
{
    if (!*name || strcmp(name, "-") == 0) return true;
    while (plain(*name)) name++;
    return *name != 0;
}

static void put_word(clv_buf *out, const char *name)
{
    if (!needs_quotes(name)) {
        clv_buf_text(out, name);
        return;
    }
    clv_buf_char(out, '"');
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c < 0x20 || c > 0x7e || strchr("\"'\\", c))
            clv_buf_printf(out, "\\x%02x", c);
        else
            clv_buf_char(out, *name);
    }
    clv_buf_char(out, '"');
}

static void put_device(clv_buf *out, const clv_plan_problem *p, const clv_plan_chain *chain,
                       size_t k)
{
    put_word(out, p->devices[k].name);
    if (chain->cut[k] == (k ? chain->cut[k - 1] : 0)) {
        clv_buf_text(out, " -");
        return;
    }
    CLV_AUTO(clv_text_free)
    char *label = clv_cut_label(p->cuts, p->graph, (size_t)chain->cut[k]);
    clv_buf_printf(out, " ..%d:", chain->cut[k]);
    put_word(out, label);
}

char *clv_plan_chain_text(const clv_plan_problem *p, const clv_plan_chain *chain)
{
    clv_buf out = {0};
    for (size_t k = 0; k < p->n_devices; k++)
        if (chain->cut[k] < 0 || (size_t)chain->cut[k] >= p->cuts->n) return NULL;
    for (size_t k = 0; k < p->n_devices; k++) {
        put_device(&out, p, chain, k);
        if ((size_t)chain->cut[k] + 1 == p->cuts->n || k + 1 == p->n_devices) break;
        clv_buf_text(&out, " | ");
        put_word(&out, p->codecs[chain->codec[k]].name);
        clv_buf_text(&out, " | ");
    }
    return clv_buf_take(&out);
}

/* ---- reading ---- */

typedef struct reader {
    const clv_plan_problem *p;
    const char *at;
} reader;

static void skip_blanks(reader *r)
{
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r') r->at++;
}

static bool take(reader *r, const char *token)
{
    size_t n = strlen(token);
    if (strncmp(r->at, token, n) != 0) return false;
    r->at += n;
    return true;
}

static int hex_of(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* One byte of a quotation; false: an escape that is none, or the end of the text. */
static bool quoted_byte(reader *r, char *out)
{
    if (!*r->at) return false;
    *out = *r->at++;
    if (*out != '\\') return true;
    if (*r->at != 'x') return false;
    int high = hex_of(r->at[1]), low = high < 0 ? -1 : hex_of(r->at[2]);
    if (low < 0 || high + low == 0) return false;
    *out = (char)(high * 16 + low);
    r->at += 3;
    return true;
}

static clv_status read_word(reader *r, const char *what, char word[WORD_MAX], clv_error *err)
{
    const char *start = r->at;
    bool quoted = take(r, "\"");
    size_t n = 0;
    while (quoted ? *r->at != '"' : plain(*r->at)) {
        char c = *r->at;
        if (!quoted)
            r->at++;
        else if (!quoted_byte(r, &c))
            return clv_fail(err, CLV_EINVAL,
                            "%s at '%.40s': a quotation ends with '\"' and has only \\xHH after "
                            "a backslash",
                            what, start);
        if (n + 1 == WORD_MAX)
            return clv_fail(err, CLV_ELIMIT, "%s at '%.40s': longer than %d bytes", what, start,
                            WORD_MAX - 1);
        word[n++] = c;
    }
    if (quoted) r->at++;
    word[n] = 0;
    if (!n && !quoted) return clv_fail(err, CLV_EINVAL, "%s: expected at '%.40s'", what, start);
    return CLV_OK;
}

/* The one cut of that label. */
static clv_status find_label(const reader *r, const char *device, const char *label, int *out,
                             clv_error *err)
{
    int found = -1;
    for (size_t i = 0; i < r->p->cuts->n; i++) {
        CLV_AUTO(clv_text_free) char *name = clv_cut_label(r->p->cuts, r->p->graph, i);
        if (strcmp(name, label) != 0) continue;
        if (found >= 0)
            return clv_fail(err, CLV_EINVAL,
                            "device '%s': cuts %d and %zu are both '%s', give the number", device,
                            found, i, label);
        found = (int)i;
    }
    if (found < 0) return clv_fail(err, CLV_EINVAL, "device '%s': no cut is '%s'", device, label);
    *out = found;
    return CLV_OK;
}

/* Behind the "..": a number, a label, or both. */
static clv_status read_cut(reader *r, const char *device, int *out, clv_error *err)
{
    char word[WORD_MAX];
    bool quoted = *r->at == '"';
    clv_status status = read_word(r, "cut", word, err);
    if (status) return status;
    size_t digits = strspn(word, "0123456789");
    if (quoted || word[digits]) return find_label(r, device, word, out, err);
    size_t last = r->p->cuts->n - 1;
    unsigned long long cut = digits > 9 ? 1000000000 : strtoull(word, NULL, 10);
    if (cut > last)
        return clv_fail(err, CLV_EINVAL, "device '%s': cut %.20s, must be at most %zu", device,
                        word, last);
    *out = (int)cut;
    if (!take(r, ":")) return CLV_OK;
    status = read_word(r, "label", word, err);
    if (status) return status;
    CLV_AUTO(clv_text_free) char *label = clv_cut_label(r->p->cuts, r->p->graph, (size_t)cut);
    if (strcmp(word, label) != 0)
        return clv_fail(err, CLV_EINVAL, "device '%s': cut %d is '%s' here, not '%s'", device, *out,
                        label, word);
    return CLV_OK;
}

static clv_status read_device(reader *r, size_t k, clv_plan_chain *chain, clv_error *err)
{
    char word[WORD_MAX];
    const char *name = r->p->devices[k].name;
    int before = k ? chain->cut[k - 1] : 0;
    clv_status status = read_word(r, "device", word, err);
    if (status) return status;
    if (strcmp(word, name) != 0)
        return clv_fail(err, CLV_EINVAL, "device %zu is '%s', must be '%s'", k, word, name);
    skip_blanks(r);
    chain->cut[k] = before;
    if (take(r, "-")) return CLV_OK;
    if (!take(r, ".."))
        return clv_fail(err, CLV_EINVAL,
                        "device '%s': '..' and a cut, or '-' (runs nothing), expected at '%.40s'",
                        name, r->at);
    status = read_cut(r, name, &chain->cut[k], err);
    if (status) return status;
    if (!clv_cut_within(r->p->cuts, (size_t)before, (size_t)chain->cut[k]))
        return clv_fail(err, CLV_EINVAL,
                        "device '%s': cut %d does not hold cut %d, at which the device before ends",
                        name, chain->cut[k], before);
    return CLV_OK;
}

static clv_status read_codec(reader *r, size_t k, clv_plan_chain *chain, clv_error *err)
{
    char word[WORD_MAX];
    skip_blanks(r);
    clv_status status = read_word(r, "codec", word, err);
    if (status) return status;
    size_t codec = 0;
    while (codec < r->p->n_codecs && strcmp(word, r->p->codecs[codec].name) != 0) codec++;
    if (codec == r->p->n_codecs)
        return clv_fail(err, CLV_EINVAL, "hop %zu: codec '%s' is not one of the %zu here", k, word,
                        codec);
    bool idle = k && chain->cut[k] == chain->cut[k - 1];
    if (idle && (int)codec != chain->codec[k - 1])
        return clv_fail(err, CLV_EINVAL,
                        "hop %zu: device '%s' runs nothing and passes on '%s', not '%s'", k,
                        r->p->devices[k].name, r->p->codecs[chain->codec[k - 1]].name, word);
    chain->codec[k] = (int)codec;
    skip_blanks(r);
    if (!take(r, "|"))
        return clv_fail(err, CLV_EINVAL, "hop %zu: '|' and a device expected at '%.40s'", k, r->at);
    skip_blanks(r);
    return CLV_OK;
}

clv_status clv_plan_chain_parse(const clv_plan_problem *p, const char *text, clv_plan_chain *out,
                                clv_error *err)
{
    if (strlen(text) > CLV_PLAN_LINE_MAX)
        return clv_fail(err, CLV_ELIMIT, "plan text: %zu bytes, at most %d are allowed",
                        strlen(text), CLV_PLAN_LINE_MAX);
    reader r = {p, text};
    clv_plan_chain chain = {.cut = {0}};
    int last = (int)p->cuts->n - 1;
    size_t k = 0;
    clv_status status;
    for (skip_blanks(&r);; k++) {
        status = read_device(&r, k, &chain, err);
        if (status == CLV_OK) skip_blanks(&r);
        if (status || !*r.at) break;
        if (chain.cut[k] == last || k + 1 == p->n_devices || !take(&r, "|")) {
            status = clv_fail(err, CLV_EINVAL, "device '%s': more follows, '%.40s'",
                              p->devices[k].name, r.at);
            break;
        }
        status = read_codec(&r, k, &chain, err);
        if (status) break;
    }
    if (status == CLV_OK && chain.cut[k] != last)
        status = clv_fail(err, CLV_EINVAL, "ends at cut %d on device '%s', must end at cut %d, all",
                          chain.cut[k], p->devices[k].name, last);
    if (status) return clv_within(err, "plan text");
    while (++k < CLV_PLAN_DEVICES_MAX) chain.cut[k] = last;
    *out = chain;
    return CLV_OK;
}
