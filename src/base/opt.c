#include "base/opt.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

/* An option in its set: which field of which struct. */
typedef struct found {
    const clv_opt *opt;
    void *field;
    size_t index; /* among all options of all sets */
} found;

static void *field_of(const clv_opt_set *set, const clv_opt *opt)
{
    return (char *)set->target + opt->offset;
}

static size_t count(const clv_opt_set *sets, size_t n_sets)
{
    size_t n = 0;
    for (size_t i = 0; i < n_sets; i++) n += sets[i].n;
    return n;
}

/* By long name of `n` characters, or by letter when `letter` is not 0. */
static bool find(const clv_opt_set *sets, size_t n_sets, const char *name, size_t n, char letter,
                 found *out)
{
    size_t index = 0;
    for (size_t i = 0; i < n_sets; i++) {
        for (size_t j = 0; j < sets[i].n; j++, index++) {
            const clv_opt *opt = &sets[i].opts[j];
            bool same = letter ? opt->letter == letter
                               : strlen(opt->name) == n && memcmp(opt->name, name, n) == 0;
            if (!same) continue;
            *out = (found){opt, field_of(&sets[i], opt), index};
            return true;
        }
    }
    return false;
}

void clv_text_list_add(clv_text_list *list, const char *text, size_t n)
{
    clv_grow(&list->items, &list->cap, list->n + 1, sizeof *list->items);
    list->items[list->n++] = clv_strndup(text, n);
}

void clv_text_list_done(clv_text_list *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->items[i]);
    free(list->items);
    *list = (clv_text_list){0};
}

static void add_split(clv_text_list *list, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, ",");
        if (n) clv_text_list_add(list, text, n);
        text += n + (text[n] == ',');
    }
}

static clv_status set_flag(const clv_opt *opt, const char *text, bool *field, clv_error *err)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < CLV_COUNT(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *field = strcmp(text, yes[i]) == 0;
            return CLV_OK;
        }
    }
    (void)opt;
    return clv_fail(err, CLV_EINVAL, "'%s' is neither true nor false", text);
}

static clv_status set_choice(const clv_opt *opt, const char *text, int *field, clv_error *err)
{
    size_t n = strlen(text);
    int index = 0;
    for (const char *at = opt->choices; n && *at; index++) {
        size_t width = strcspn(at, "|");
        if (width == n && memcmp(at, text, n) == 0) {
            *field = index;
            return CLV_OK;
        }
        at += width + (at[width] == '|');
    }
    return clv_fail(err, CLV_EINVAL, "'%s' is none of %s", text, opt->choices);
}

static clv_unit_text show_bound(const clv_opt *opt, double value)
{
    switch (opt->type) {
    case CLV_OPT_SIZE: return clv_show_size(value);
    case CLV_OPT_RATE: return clv_show_rate(value);
    case CLV_OPT_DURATION: return clv_show_duration(value);
    case CLV_OPT_FLAG:
    case CLV_OPT_INT:
    case CLV_OPT_REAL:
    case CLV_OPT_TEXT:
    case CLV_OPT_CHOICE:
    case CLV_OPT_LIST:
    case CLV_OPT_TEXTS: break;
    }
    clv_unit_text text;
    snprintf(text.s, sizeof text.s, "%.12g", value);
    return text;
}

/* A lower bound alone (max = 0) leaves the top open. */
static clv_status within_bounds(const clv_opt *opt, const char *text, double value, clv_error *err)
{
    bool has_max = opt->max != 0 || opt->min < 0;
    if (value >= opt->min && (!has_max || value <= opt->max)) return CLV_OK;
    clv_unit_text min = show_bound(opt, opt->min), max = show_bound(opt, opt->max);
    if (has_max)
        return clv_fail(err, CLV_EINVAL, "'%s' is not between %s and %s", text, min.s, max.s);
    return clv_fail(err, CLV_EINVAL, "'%s' is less than %s", text, min.s);
}

static clv_status parse_whole(const clv_opt *opt, const char *text, int64_t *value, clv_error *err)
{
    switch (opt->type) {
    case CLV_OPT_SIZE: return clv_parse_size(text, value, err);
    case CLV_OPT_DURATION: return clv_parse_duration(text, value, err);
    case CLV_OPT_FLAG:
    case CLV_OPT_INT:
    case CLV_OPT_REAL:
    case CLV_OPT_TEXT:
    case CLV_OPT_RATE:
    case CLV_OPT_CHOICE:
    case CLV_OPT_LIST:
    case CLV_OPT_TEXTS: break;
    }
    bool minus = opt->min < 0 && text[0] == '-';
    clv_status status = clv_parse_int(text + minus, value, err);
    if (!status && minus) *value = -*value;
    return status;
}

static clv_status set_whole(const clv_opt *opt, const char *text, int64_t *field, clv_error *err)
{
    int64_t value = 0;
    clv_status status = parse_whole(opt, text, &value, err);
    if (!status) status = within_bounds(opt, text, (double)value, err);
    if (!status) *field = value;
    return status;
}

static clv_status set_real(const clv_opt *opt, const char *text, double *field, clv_error *err)
{
    double value = 0;
    bool minus = opt->type == CLV_OPT_REAL && opt->min < 0 && text[0] == '-';
    clv_status status = opt->type == CLV_OPT_RATE ? clv_parse_rate(text, &value, err)
                                                  : clv_parse_real(text + minus, &value, err);
    if (!status && minus) value = -value;
    if (!status) status = within_bounds(opt, text, value, err);
    if (!status) *field = value;
    return status;
}

/* A list grows by the items of `text`; the caller empties it where a value replaces. */
static clv_status set(const clv_opt *opt, void *field, const char *text, clv_error *err)
{
    switch (opt->type) {
    case CLV_OPT_FLAG: return set_flag(opt, text, field, err);
    case CLV_OPT_REAL:
    case CLV_OPT_RATE: return set_real(opt, text, field, err);
    case CLV_OPT_INT:
    case CLV_OPT_SIZE:
    case CLV_OPT_DURATION: return set_whole(opt, text, field, err);
    case CLV_OPT_CHOICE: return set_choice(opt, text, field, err);
    case CLV_OPT_TEXT: *(const char **)field = text; return CLV_OK;
    case CLV_OPT_LIST: add_split(field, text); return CLV_OK;
    case CLV_OPT_TEXTS: clv_text_list_add(field, text, strlen(text)); return CLV_OK;
    }
    return CLV_OK;
}

static bool is_list(const clv_opt *opt)
{
    return opt->type == CLV_OPT_LIST || opt->type == CLV_OPT_TEXTS;
}

static void clear(const clv_opt *opt, void *field)
{
    switch (opt->type) {
    case CLV_OPT_FLAG: *(bool *)field = false; break;
    case CLV_OPT_INT:
    case CLV_OPT_SIZE:
    case CLV_OPT_DURATION: *(int64_t *)field = 0; break;
    case CLV_OPT_REAL:
    case CLV_OPT_RATE: *(double *)field = 0; break;
    case CLV_OPT_TEXT: *(const char **)field = NULL; break;
    case CLV_OPT_CHOICE: *(int *)field = 0; break;
    case CLV_OPT_LIST:
    case CLV_OPT_TEXTS: clv_text_list_done(field); break;
    }
}

clv_status clv_opt_defaults(const clv_opt_set *sets, size_t n_sets, clv_error *err)
{
    for (size_t i = 0; i < n_sets; i++) {
        for (size_t j = 0; j < sets[i].n; j++) {
            const clv_opt *opt = &sets[i].opts[j];
            void *field = field_of(&sets[i], opt);
            const char *env = opt->env ? getenv(opt->env) : NULL;
            clear(opt, field);
            const char *text = env && *env ? env : opt->fallback;
            clv_error bad = {0};
            if (!text || !set(opt, field, text, &bad)) continue;
            return clv_fail(err, CLV_EUSAGE, "%s%s: %s", text == env ? "$" : "--",
                            text == env ? opt->env : opt->name, bad.text);
        }
    }
    return CLV_OK;
}

/* The state of one pass over argv. */
typedef struct parser {
    const clv_opt_set *sets;
    size_t n_sets;
    clv_args *args;
    int at;     /* the argument that is looked at */
    bool *seen; /* an entry an option */
} parser;

static clv_status unknown(const parser *p, const char *arg, size_t n, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *name = clv_strndup(arg, n);
    if (name[0] != '-' || name[1] != '-')
        return clv_fail(err, CLV_EUSAGE, "unknown option '%s'", name);
    clv_nearest near = clv_nearest_to(name + 2);
    for (size_t i = 0; i < p->n_sets; i++)
        for (size_t j = 0; j < p->sets[i].n; j++) clv_nearest_try(&near, p->sets[i].opts[j].name);
    if (!near.name) return clv_fail(err, CLV_EUSAGE, "unknown option '%s'", name);
    return clv_fail(err, CLV_EUSAGE, "unknown option '%s', did you mean '--%s'?", name, near.name);
}

/* The value behind a flag: after '=', or the next argument unless that is a long flag itself. */
static clv_status take_value(parser *p, const found *f, const char *equals, const char **value,
                             clv_error *err)
{
    const char *next = p->at + 1 < p->args->argc ? p->args->argv[p->at + 1] : NULL;
    if (equals) {
        *value = equals + 1;
    } else if (f->opt->type == CLV_OPT_FLAG) {
        *value = "true";
    } else if (next && (strncmp(next, "--", 2) != 0 || !next[2])) {
        *value = next;
        p->at++;
    } else {
        return clv_fail(err, CLV_EUSAGE, "--%s needs a value: %s", f->opt->name, f->opt->help);
    }
    return CLV_OK;
}

static clv_status apply(parser *p, const found *f, const char *value, clv_error *err)
{
    bool list = is_list(f->opt);
    if (p->seen[f->index] && !list)
        return clv_fail(err, CLV_EUSAGE, "--%s is given twice, once is right", f->opt->name);
    if (!p->seen[f->index] && list) clv_text_list_done(f->field); /* flags replace the fallback */
    p->seen[f->index] = true;
    clv_error bad = {0};
    if (!set(f->opt, f->field, value, &bad)) return CLV_OK;
    return clv_fail(err, CLV_EUSAGE, "--%s: %s", f->opt->name, bad.text);
}

/* One argument that begins with '-'; moves p->at to the last argument it used. */
static clv_status parse_flag(parser *p, clv_error *err)
{
    const char *arg = p->args->argv[p->at], *name = arg + 2;
    bool is_long = arg[1] == '-';
    const char *equals = is_long ? strchr(arg, '=') : NULL;
    size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
    found f = {0};
    if (!is_long && (n != 2 || !find(p->sets, p->n_sets, NULL, 0, arg[1], &f)))
        return unknown(p, arg, n, err);
    if (is_long && !find(p->sets, p->n_sets, name, n - 2, 0, &f)) {
        bool negated = !equals && strncmp(name, "no-", 3) == 0 &&
                       find(p->sets, p->n_sets, name + 3, n - 5, 0, &f) &&
                       f.opt->type == CLV_OPT_FLAG;
        return negated ? apply(p, &f, "false", err) : unknown(p, arg, n, err);
    }
    const char *value = NULL;
    clv_status status = take_value(p, &f, equals, &value, err);
    return status ? status : apply(p, &f, value, err);
}

clv_status clv_opt_parse(const clv_opt_set *sets, size_t n_sets, clv_args *args, bool stop_at_first,
                         clv_error *err)
{
    CLV_AUTO(clv_free) bool *seen = clv_alloc_array(count(sets, n_sets), sizeof *seen);
    parser p = {.sets = sets, .n_sets = n_sets, .args = args, .seen = seen};
    bool flags = true;
    int kept = 0;
    for (p.at = 0; p.at < args->argc; p.at++) {
        char *arg = args->argv[p.at];
        if (!flags || arg[0] != '-' || !arg[1]) { /* "-" alone is a name for a standard stream */
            args->argv[kept++] = arg;
            flags = flags && !stop_at_first;
        } else if (strcmp(arg, "--") == 0) {
            flags = false;
        } else {
            clv_status status = parse_flag(&p, err);
            if (status) return status;
        }
    }
    args->argc = kept;
    return CLV_OK;
}

clv_status clv_opt_set_value(const clv_opt_set *sets, size_t n_sets, const char *name,
                             const char *value, clv_error *err)
{
    found f = {0};
    if (!find(sets, n_sets, name, strlen(name), 0, &f)) {
        clv_nearest near = clv_nearest_to(name);
        for (size_t i = 0; i < n_sets; i++)
            for (size_t j = 0; j < sets[i].n; j++) clv_nearest_try(&near, sets[i].opts[j].name);
        if (!near.name) return clv_fail(err, CLV_ENOTFOUND, "unknown setting '%s'", name);
        return clv_fail(err, CLV_ENOTFOUND, "unknown setting '%s', did you mean '%s'?", name,
                        near.name);
    }
    clv_error bad = {0};
    if (is_list(f.opt)) clv_text_list_done(f.field);
    if (!set(f.opt, f.field, value, &bad)) return CLV_OK;
    return clv_fail(err, CLV_EUSAGE, "%s: %s", name, bad.text);
}

void clv_opt_done(const clv_opt_set *sets, size_t n_sets)
{
    for (size_t i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sets[i].n; j++)
            if (is_list(&sets[i].opts[j])) clv_text_list_done(field_of(&sets[i], &sets[i].opts[j]));
}
