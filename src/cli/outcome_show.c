/* An answer as tables and as JSON. */
#include "base/buf.h"
#include "base/unit.h"
#include "cli/element.h"
#include "cli/explain.h"
#include "cli/outcome.h"
#include "cli/table.h"
#include "cli/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAR_COLUMNS = 30, TEXT_SHOWN_MAX = 60 };

typedef struct summary {
    double least, mean, greatest;
    size_t count, not_finite;
} summary;

static summary summarise(const clv_tensor *t)
{
    summary s = {.count = clv_element_count(t), .least = INFINITY, .greatest = -INFINITY};
    double sum = 0;
    for (size_t i = 0; i < s.count; i++) {
        double x = clv_element(t, i);
        if (!isfinite(x)) {
            s.not_finite++;
            continue;
        }
        s.least = fmin(s.least, x);
        s.greatest = fmax(s.greatest, x);
        sum += x;
    }
    size_t finite = s.count - s.not_finite;
    s.mean = finite ? sum / (double)finite : (double)NAN;
    if (!finite) s.least = s.greatest = (double)NAN;
    return s;
}

/* Text that a node sent, for a terminal: control characters, which could move its cursor or worse,
 * become dots. */
static void print_clean(const char *text, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++)
        fputc((unsigned char)text[i] < ' ' || text[i] == 127 ? '.' : text[i], out);
}

static void print_quoted(const char *text, size_t n, FILE *out)
{
    fputs(" \"", out);
    print_clean(text, CLV_MIN(n, (size_t)TEXT_SHOWN_MAX), out);
    fputs(n > TEXT_SHOWN_MAX ? "...\"" : "\"", out);
}

static void print_line(const char *head, const char *text, FILE *out)
{
    if (!*text) return;
    fputs(head, out);
    print_clean(text, strlen(text), out);
    fputc('\n', out);
}

static const char *label_of(const clv_text_list *labels, size_t index)
{
    return labels && index < labels->n ? labels->items[index] : NULL;
}

/* A score or a probability; of NaN not its sign, which means nothing. */
static void add_number(clv_table *table, double x, bool probability)
{
    if (isnan(x))
        clv_table_cell(table, "nan");
    else if (probability)
        clv_table_cell(table, "%.2f %%", 100 * x);
    else
        clv_table_cell(table, "%.4g", x);
}

static void print_classes(const clv_tensor *t, size_t rows, size_t columns,
                          const clv_text_list *labels, FILE *out)
{
    static const clv_column all[] = {{"class", CLV_RIGHT},
                                     {"score", CLV_RIGHT},
                                     {"probability", CLV_RIGHT},
                                     {"label", CLV_LEFT}};
    bool named = labels && labels->n;
    for (size_t row = 0; row < CLV_MIN(rows, (size_t)CLV_OUTCOME_ROWS_MAX); row++) {
        clv_class top[CLV_OUTCOME_TOP];
        clv_outcome_top(t, row, columns, top);
        if (rows > 1) fprintf(out, "row %zu\n", row);
        clv_table *table = clv_table_new(all, named ? CLV_COUNT(all) : CLV_COUNT(all) - 1);
        for (size_t k = 0; k < CLV_OUTCOME_TOP; k++) {
            clv_table_cell(table, "%zu", top[k].index);
            add_number(table, top[k].score, false);
            add_number(table, top[k].probability, true);
            const char *label = label_of(labels, top[k].index);
            if (named) clv_table_cell(table, "%s", label ? label : "");
        }
        clv_table_print(table, out);
        clv_table_free(table);
    }
    size_t odd = summarise(t).not_finite;
    if (odd) fprintf(out, "%zu of %zu scores are not finite\n", odd, rows * columns);
    if (rows > CLV_OUTCOME_ROWS_MAX)
        fprintf(out, "... %zu more rows, -o DIR writes all\n", rows - CLV_OUTCOME_ROWS_MAX);
}

static void print_values(const clv_tensor *t, FILE *out)
{
    size_t count = clv_element_count(t), shown = CLV_MIN(count, (size_t)CLV_OUTCOME_FIRST_MAX);
    if (t->dtype != CLV_TEXT && count) {
        summary s = summarise(t);
        fprintf(out, "  min %.6g  mean %.6g  max %.6g", s.least, s.mean, s.greatest);
        if (s.not_finite) fprintf(out, "  (%zu not finite)", s.not_finite);
        fputc('\n', out);
    }
    fputs(" ", out);
    size_t at = 0, n;
    const char *text;
    for (size_t i = 0; i < shown; i++) {
        if (t->dtype != CLV_TEXT)
            fprintf(out, " %.6g", clv_element(t, i));
        else if (clv_element_text(t, &at, &text, &n))
            print_quoted(text, n, out);
    }
    fputs(shown < count ? " ...\n" : "\n", out);
}

static void print_part(clv_table *table, bool bar, const char *name, int64_t us, int64_t total_us,
                       const char *about)
{
    if (us == 0) return;
    double share = total_us > 0 ? (double)us / (double)total_us : 0;
    clv_table_cell(table, "%s", name);
    clv_table_cell(table, "%s", clv_show_duration((double)us).s);
    clv_table_cell(table, "%.1f %%", 100 * share);
    if (bar) {
        CLV_AUTO(clv_buf_done) clv_buf b = {0};
        int n = (int)lround(fmin(1, fmax(0, share)) * BAR_COLUMNS);
        for (int i = 0; i < n; i++) clv_buf_text(&b, "\u2588");
        clv_table_cell(table, "%s", b.data ? b.data : "");
    }
    clv_table_cell(table, "%s", about);
}

static void print_timing(const clv_outcome *a, FILE *out)
{
    static const clv_column with_bar[] = {{"time", CLV_LEFT},
                                          {"", CLV_RIGHT},
                                          {"share", CLV_RIGHT},
                                          {"", CLV_LEFT},
                                          {"where", CLV_LEFT}};
    static const clv_column plain[] = {
        {"time", CLV_LEFT}, {"", CLV_RIGHT}, {"share", CLV_RIGHT}, {"where", CLV_LEFT}};
    bool bar = clv_terminal_columns(out) > 0;
    const clv_timing *t = &a->timing;
    clv_table *table =
        bar ? clv_table_new(with_bar, CLV_COUNT(with_bar)) : clv_table_new(plain, CLV_COUNT(plain));
    if (a->timed) {
#define X(field, about)                                                                            \
    if (strcmp(#field, "total_us") != 0) {                                                         \
        CLV_AUTO(clv_text_free) char *name = clv_strndup(#field, sizeof #field - 4);               \
        print_part(table, bar, name, t->field, t->total_us, about);                                \
    }
        CLV_TIMING_MAP(X)
#undef X
        print_part(table, bar, "write", a->write_us, t->total_us, "inputs into their codec");
        print_part(table, bar, "network", a->network_us, t->total_us, "between here and the node");
    } else {
        print_part(table, bar, "send", a->send_us, t->total_us, "until the question was sent");
        print_part(table, bar, "wait", a->wait_us, t->total_us, "the server, and the way there");
        print_part(table, bar, "receive", a->receive_us, t->total_us, "first to last byte");
    }
    print_part(table, bar, "total", t->total_us, t->total_us, "");
    clv_table_print(table, out);
    clv_table_free(table);
}

/* The times of the node that predicted, without the way to it. */
static clv_explain explanation_of(const clv_outcome *a)
{
    clv_timing happened = a->timing;
    happened.total_us -= a->network_us;
    return clv_explain_of(&a->predicted, &happened);
}

static void print_explanation(const clv_outcome *a, FILE *out)
{
    clv_explain e = explanation_of(a);
    fputc('\n', out);
    if (e.n)
        clv_explain_print(&e, out);
    else
        print_line("no prediction: ", a->unexplained ? a->unexplained : "", out);
}

/* Each node that the request came to, where there was more than the one that was asked. */
static void print_trip(const clv_trip *trip, FILE *out)
{
    static const clv_column columns[] = {{"node", CLV_RIGHT},        {"waited", CLV_RIGHT},
                                         {"computed", CLV_RIGHT},    {"coding", CLV_RIGHT},
                                         {"to the next", CLV_RIGHT}, {"lost", CLV_RIGHT}};
    if (trip->n < 2) return;
    fputc('\n', out);
    clv_table *table = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t k = 0; k < trip->n; k++) {
        const clv_trip_node *n = &trip->nodes[k];
        const int64_t cells[] = {n->wait_us, n->compute_us, n->encode_us + n->decode_us, n->link_us,
                                 n->lost_us};
        clv_table_cell(table, "%zu", k);
        for (size_t i = 0; i < CLV_COUNT(cells); i++)
            clv_table_cell(table, "%s", cells[i] ? clv_show_duration((double)cells[i]).s : "");
    }
    clv_table_print(table, out);
    clv_table_free(table);
}

/* In what each link was crossed, and how many bytes that were. */
static void print_crossed(const clv_crossings *crossed, FILE *out)
{
    static const clv_column columns[] = {{"link", CLV_LEFT},     {"codec", CLV_LEFT},
                                         {"tensors", CLV_RIGHT}, {"written", CLV_RIGHT},
                                         {"sent", CLV_RIGHT},    {"received", CLV_RIGHT}};
    if (crossed->n == 0) return;
    fputc('\n', out);
    clv_table *table = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t k = 0; k < crossed->n; k++) {
        const clv_crossing *c = &crossed->hops[k];
        if (k == 0)
            clv_table_cell(table, "here > node 0");
        else
            clv_table_cell(table, "node %zu > node %zu", k - 1, k);
        clv_table_cell(table, "%s", c->codec);
        clv_table_cell(table, "%lld B", (long long)c->tensor_bytes);
        clv_table_cell(table, "%lld B", (long long)c->coded_bytes);
        clv_table_cell(table, "%lld B", (long long)c->up_bytes);
        clv_table_cell(table, "%lld B", (long long)c->down_bytes);
    }
    clv_table_print(table, out);
    clv_table_free(table);
}

void clv_outcome_print(const clv_outcome *a, const clv_text_list *labels, FILE *out)
{
    for (size_t i = 0; i < a->outputs.n; i++) {
        const clv_tensor *t = &a->outputs.items[i];
        size_t rows, columns;
        print_clean(t->name, strlen(t->name), out);
        fprintf(out, "  %s %s\n", clv_dtype_oip(t->dtype), clv_shape_show(&t->shape).s);
        if (clv_outcome_classes(t, &rows, &columns))
            print_classes(t, rows, columns, labels, out);
        else
            print_values(t, out);
        fputc('\n', out);
    }
    print_line("plan: ", a->plan, out);
    print_line("recovered: ", a->recovered, out);
    print_timing(a, out);
    if (a->explain) print_explanation(a, out);
    print_crossed(&a->crossed, out);
    print_trip(&a->trip, out);
}

void clv_outcome_print_latency(const clv_outcome_latency *l, FILE *out)
{
    fprintf(out, "\n%zu requests: min %s, p50 %s, p95 %s\n", l->count,
            clv_show_duration(l->min_us).s, clv_show_duration(l->p50_us).s,
            clv_show_duration(l->p95_us).s);
}

/* Null for none; what is not UTF-8 has question marks, since JSON cannot hold it. */
static json_t *text_json(const char *text)
{
    if (!text) return json_null();
    json_t *j = json_string(text);
    if (j) return j;
    CLV_AUTO(clv_text_free) char *ascii = clv_strdup(text);
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c > 126) *c = '?';
    return json_string(ascii);
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *classes_json(const clv_tensor *t, size_t rows, size_t columns,
                            const clv_text_list *labels)
{
    json_t *list = json_array();
    for (size_t row = 0; row < CLV_MIN(rows, (size_t)CLV_OUTCOME_ROWS_MAX); row++) {
        clv_class top[CLV_OUTCOME_TOP];
        clv_outcome_top(t, row, columns, top);
        for (size_t k = 0; k < CLV_OUTCOME_TOP; k++) {
            const char *label = label_of(labels, top[k].index);
            json_array_append_new(
                list, json_pack("{s:I, s:I, s:o, s:o, s:o}", "row", (json_int_t)row, "index",
                                (json_int_t)top[k].index, "label", text_json(label), "score",
                                number(top[k].score), "probability", number(top[k].probability)));
        }
    }
    return list;
}

static json_t *first_json(const clv_tensor *t)
{
    json_t *list = json_array();
    size_t shown = CLV_MIN(clv_element_count(t), (size_t)CLV_OUTCOME_FIRST_MAX), at = 0, n;
    const char *text;
    for (size_t i = 0; i < shown; i++) {
        json_t *value = NULL;
        if (t->dtype != CLV_TEXT)
            value = number(clv_element(t, i));
        else if (clv_element_text(t, &at, &text, &n))
            value = json_stringn(text, n);
        json_array_append_new(list, value ? value : json_null());
    }
    return list;
}

static json_t *output_json(const clv_tensor *t, const clv_text_list *labels)
{
    size_t rows, columns;
    json_t *shape = json_array();
    for (int i = 0; i < t->shape.rank; i++)
        json_array_append_new(shape, json_integer(t->shape.dim[i]));
    json_t *o = json_pack("{s:o, s:s, s:o}", "name", text_json(t->name), "datatype",
                          clv_dtype_oip(t->dtype), "shape", shape);
    if (clv_outcome_classes(t, &rows, &columns)) {
        json_object_set_new(o, "top", classes_json(t, rows, columns, labels));
        return o;
    }
    if (t->dtype != CLV_TEXT) {
        summary s = summarise(t);
        json_object_set_new(o, "min", number(s.least));
        json_object_set_new(o, "mean", number(s.mean));
        json_object_set_new(o, "max", number(s.greatest));
    }
    json_object_set_new(o, "first", first_json(t));
    return o;
}

static json_t *timing_json(const clv_outcome *a)
{
    json_t *t = json_object();
#define X(field, about)                                                                            \
    if (a->timed || strcmp(#field, "total_us") == 0)                                               \
        json_object_set_new(t, #field, json_integer(a->timing.field));
    CLV_TIMING_MAP(X)
#undef X
    if (a->timed) {
        json_object_set_new(t, "network_us", json_integer(a->network_us));
        json_object_set_new(t, "write_us", json_integer(a->write_us));
        return t;
    }
    json_object_set_new(t, "send_us", json_integer(a->send_us));
    json_object_set_new(t, "answer_us", json_integer(a->wait_us));
    json_object_set_new(t, "receive_us", json_integer(a->receive_us));
    return t;
}

static json_t *trip_json(const clv_trip *trip)
{
    json_t *nodes = json_array();
    for (size_t k = 0; k < trip->n; k++) {
        json_t *node = json_object();
#define X(field, about) json_object_set_new(node, #field, json_integer(trip->nodes[k].field));
        CLV_TRIP_MAP(X)
#undef X
        json_array_append_new(nodes, node);
    }
    return nodes;
}

static json_t *crossed_json(const clv_crossings *crossed)
{
    json_t *hops = json_array();
    for (size_t k = 0; k < crossed->n; k++) {
        json_t *hop = json_pack("{s:o}", "codec", text_json(crossed->hops[k].codec));
#define X(name, about) json_object_set_new(hop, #name, json_integer(crossed->hops[k].name));
        CLV_CROSSING_MAP(X)
#undef X
        json_array_append_new(hops, hop);
    }
    return hops;
}

json_t *clv_outcome_json(const clv_outcome *a, const clv_text_list *labels)
{
    json_t *outputs = json_array();
    for (size_t i = 0; i < a->outputs.n; i++)
        json_array_append_new(outputs, output_json(&a->outputs.items[i], labels));
    json_t *doc =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "model", text_json(a->model), "version",
                  text_json(a->version), "plan", text_json(a->plan[0] ? a->plan : NULL),
                  "recovered", text_json(a->recovered[0] ? a->recovered : NULL), "outputs", outputs,
                  "timing", timing_json(a));
    json_object_set_new(doc, "nodes", trip_json(&a->trip));
    json_object_set_new(doc, "crossed", crossed_json(&a->crossed));
    if (a->explain) {
        clv_explain e = explanation_of(a);
        json_object_set_new(doc, "explain", clv_explain_json(&e));
    }
    return doc;
}
