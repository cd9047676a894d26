#include "split/itinerary.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/opt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_plain(unsigned char c)
{
    return isalnum(c) || (c && strchr("._-/:", c));
}

static void put_name(clv_buf *out, const char *name)
{
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        clv_buf_printf(out, is_plain(*c) ? "%c" : "%%%02X", *c);
}

clv_status clv_itinerary_text(const clv_route *r, const clv_cuts *cuts, const clv_graph *g,
                              char **out, clv_error *err)
{
    clv_buf text = {0};
    for (size_t k = 1; k + 1 < r->n; k++) {
        const clv_cut *cut = &cuts->items[r->cut[k]];
        if (k > 1) clv_buf_text(&text, ";");
        for (size_t i = 0; i < cut->n_live; i++) {
            if (i > 0) clv_buf_text(&text, ",");
            put_name(&text, g->tensors[cut->live[i]].name);
        }
        clv_buf_printf(&text, "@%s", clv_codec_show(r->codec[k]).s);
    }
    if (text.len > CLV_ITINERARY_MAX) {
        size_t len = text.len;
        clv_buf_done(&text);
        return clv_fail(err, CLV_ELIMIT, "a way over %zu nodes takes %zu bytes, at most %d fit",
                        r->n, len, CLV_ITINERARY_MAX);
    }
    *out = clv_buf_take(&text);
    return CLV_OK;
}

static int hex(char c)
{
    const char *digits = "0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The name in [at, at + n), with %XX as bytes; false if it is none. */
static bool take_name(const char *at, size_t n, clv_text_list *names)
{
    CLV_AUTO(clv_text_free) char *name = clv_strndup(at, n);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        char c = at[i];
        if (c == '%') {
            int high = i + 2 < n ? hex(at[i + 1]) : -1, low = i + 2 < n ? hex(at[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (!is_plain((unsigned char)c)) {
            return false;
        }
        name[len++] = c;
    }
    if (len == 0 || len >= CLV_NAME_MAX) return false;
    clv_text_list_add(names, name, len);
    return true;
}

static clv_status take_names(const char *at, size_t n, clv_text_list *names, clv_error *err)
{
    for (size_t i = 0; i <= n;) {
        size_t len = strcspn(at + i, ",@;");
        if (!take_name(at + i, len, names))
            return clv_fail(err, CLV_EINVAL, "stop '%.*s': '%.*s' is no name of a tensor",
                            (int)CLV_MIN(n, (size_t)100), at, (int)CLV_MIN(len, (size_t)100),
                            at + i);
        i += len + 1;
    }
    return CLV_OK;
}

/* One stop, "a,b@codec", behind cut `from`. */
static clv_status take_stop(const char *at, size_t n, size_t from, const clv_cuts *cuts,
                            const clv_graph *g, size_t *cut, clv_codec *codec, clv_error *err)
{
    const char *mark = memchr(at, '@', n);
    int shown = (int)CLV_MIN(n, (size_t)200);
    if (!mark)
        return clv_fail(err, CLV_EINVAL, "stop '%.*s': TENSOR,...@CODEC is right", shown, at);
    CLV_AUTO(clv_text_list_done) clv_text_list names = {0};
    CLV_AUTO(clv_text_free) char *text = clv_strndup(mark + 1, (size_t)(at + n - mark - 1));
    clv_status s = take_names(at, (size_t)(mark - at), &names, err);
    if (!s) s = clv_codec_parse(text, codec, err);
    if (s) return s;
    int found = clv_cuts_find(cuts, g, (const char *const *)names.items, names.n);
    if (found < 0 || (size_t)found + 1 == cuts->n)
        return clv_fail(err, CLV_EINVAL, "stop '%.*s' is no cut of this network", shown, at);
    if (!clv_cut_within(cuts, from, (size_t)found))
        return clv_fail(err, CLV_EINVAL, "stop '%.*s' does not lie behind the one before", shown,
                        at);
    *cut = (size_t)found;
    return CLV_OK;
}

clv_status clv_itinerary_parse(const char *text, size_t from, const clv_cuts *cuts,
                               const clv_graph *g, clv_route *out, clv_error *err)
{
    clv_route r = {0};
    if (strlen(text) > CLV_ITINERARY_MAX)
        return clv_fail(err, CLV_ELIMIT, "the way has %zu bytes, at most %d are allowed",
                        strlen(text), CLV_ITINERARY_MAX);
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, ";");
        if (r.n == CLV_ITINERARY_STOPS_MAX)
            return clv_fail(err, CLV_ELIMIT, "the way has more than %d stops",
                            CLV_ITINERARY_STOPS_MAX);
        clv_status s =
            take_stop(at, n, r.n ? r.cut[r.n - 1] : from, cuts, g, &r.cut[r.n], &r.codec[r.n], err);
        if (s) return s;
        r.n++;
        at += n;
        if (*at && !*++at) return clv_fail(err, CLV_EINVAL, "the way ends in ';'");
    }
    r.cut[r.n++] = cuts->n - 1;
    *out = r;
    return CLV_OK;
}
