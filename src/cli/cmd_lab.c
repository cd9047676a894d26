/* cleave lab: the actions, and those that only ask or change a running lab. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/lab_options.h"
#include "cli/table.h"
#include "cost/link.h"
#include "lab/message.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

typedef struct lab_options {
    const char *lab, *on;
    bool json;
} lab_options;

#define LAB_OPT                                                                                    \
    CLV_OPT(lab_options, lab, TEXT, "lab", NULL, .arg = "LAB",                                     \
            .help = "name or control socket of the lab; default: $CLEAVE_LAB, else the only one")
#define JSON_OPT CLV_OPT(lab_options, json, FLAG, "json", NULL, .help = "print JSON")

static const clv_cli_about links_about = {
    .usage = "cleave lab links [--json]",
    .text = "List the named links.",
    .examples = "cleave lab links\n",
};

static clv_status print_json(json_t *root)
{
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(root);
    return CLV_OK;
}

static clv_status links(clv_args *args, clv_error *err)
{
    static const clv_opt opts[] = {JSON_OPT};
    lab_options o = {0};
    const clv_opt_set sets[] = {{opts, CLV_COUNT(opts), &o}};
    bool help;
    clv_status s = clv_cli_begin(&links_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    static const clv_column columns[] = {
        {"link", CLV_LEFT}, {"rate", CLV_RIGHT}, {"rtt", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    json_t *list = json_array();
    for (size_t i = 0; i < clv_link_presets_n; i++) {
        const clv_link_preset *p = &clv_link_presets[i];
        clv_table_cell(t, "%s", p->name);
        clv_table_cell(t, "%s", clv_show_rate(p->bytes_per_s).s);
        clv_table_cell(t, "%s", clv_show_duration((double)p->rtt_us).s);
        json_array_append_new(list, json_pack("{s:s, s:f, s:I}", "name", p->name, "bytes_per_s",
                                              p->bytes_per_s, "rtt_us", (json_int_t)p->rtt_us));
    }
    if (!o.json) clv_table_print(t, stdout);
    clv_table_free(t);
    if (o.json) return print_json(json_pack("{s:o}", "links", list));
    json_decref(list);
    return CLV_OK;
}

static clv_status ask(const char *lab, clv_lab_request *q, clv_lab_reply *r, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *control = NULL;
    clv_status s = clv_lab_find(lab, &control, err);
    q->version = CLV_LAB_MESSAGE_VERSION;
    return s ? s : clv_lab_ask(control, q, r, err);
}

static const char *const direction_names[CLV_DIRECTIONS] = {"up", "down"};

static json_t *json_of_way(const clv_lab_link_state *l, int d)
{
    const clv_shape_values *v = &l->values[d];
    const clv_relay_counts *c = &l->counts[d];
    return json_pack("{s:s, s:s, s:f, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:f, s:f}", "link",
                     l->name, "direction", direction_names[d], "bytes_per_s", v->rate_bytes_per_s,
                     "delay_us", (json_int_t)v->delay_us, "jitter_us", (json_int_t)v->jitter_us,
                     "loss", v->loss, "queue_bytes", (json_int_t)v->queue_bytes, "packets",
                     (json_int_t)c->packets, "bytes", (json_int_t)c->bytes, "lost",
                     (json_int_t)c->lost, "dropped", (json_int_t)c->dropped, "late_us_mean",
                     (double)c->late_ns_sum / 1e3 / (double)CLV_MAX(c->frames, 1), "late_us_max",
                     (double)c->late_ns_max / 1e3);
}

static clv_status status_json(const clv_lab_reply *r)
{
    json_t *ways = json_array(), *hosts = json_array();
    for (size_t i = 0; i < r->n_hosts; i++) json_array_append_new(hosts, json_string(r->hosts[i]));
    for (size_t i = 0; i < r->n_links; i++)
        for (int d = 0; d < CLV_DIRECTIONS; d++)
            json_array_append_new(ways, json_of_way(&r->links[i], d));
    return print_json(json_pack("{s:s, s:b, s:I, s:o, s:o}", "transport", r->transport,
                                "user_namespace", (int)r->user_namespace, "relay_cpu_us",
                                (json_int_t)r->cpu_us, "hosts", hosts, "links", ways));
}

static void status_table(const clv_lab_reply *r)
{
    static const clv_column columns[] = {
        {"link", CLV_LEFT},    {"way", CLV_LEFT},   {"rate", CLV_RIGHT},    {"delay", CLV_RIGHT},
        {"jitter", CLV_RIGHT}, {"loss", CLV_RIGHT}, {"queue", CLV_RIGHT},   {"packets", CLV_RIGHT},
        {"bytes", CLV_RIGHT},  {"lost", CLV_RIGHT}, {"dropped", CLV_RIGHT}, {"late", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < r->n_links; i++)
        for (int d = 0; d < CLV_DIRECTIONS; d++) {
            const clv_shape_values *v = &r->links[i].values[d];
            const clv_relay_counts *c = &r->links[i].counts[d];
            clv_table_cell(t, "%s", r->links[i].name);
            clv_table_cell(t, "%s", direction_names[d]);
            clv_table_cell(t, "%s",
                           v->rate_bytes_per_s > 0 ? clv_show_rate(v->rate_bytes_per_s).s : "-");
            clv_table_cell(t, "%s", clv_show_duration((double)v->delay_us).s);
            clv_table_cell(t, "%s", clv_show_duration((double)v->jitter_us).s);
            clv_table_cell(t, "%g %%", v->loss * 100);
            clv_table_cell(t, "%s", clv_show_size((double)v->queue_bytes).s);
            clv_table_cell(t, "%lld", (long long)c->packets);
            clv_table_cell(t, "%s", clv_show_size((double)c->bytes).s);
            clv_table_cell(t, "%lld", (long long)c->lost);
            clv_table_cell(t, "%lld", (long long)c->dropped);
            clv_table_cell(
                t, "%s",
                clv_show_duration((double)c->late_ns_sum / 1e3 / (double)CLV_MAX(c->frames, 1)).s);
        }
    clv_table_print(t, stdout);
    clv_table_free(t);
}

static const clv_cli_about status_about = {
    .usage = "cleave lab status [--lab LAB] [--json]",
    .text =
        "Show the links of a running lab: their values, and what they have carried. 'late' is how "
        "much after their time packets were handed over, on average: the relay's own error.",
    .examples = "cleave lab status\n",
};

static clv_status status(clv_args *args, clv_error *err)
{
    static const clv_opt opts[] = {LAB_OPT, JSON_OPT};
    lab_options o = {0};
    const clv_opt_set sets[] = {{opts, CLV_COUNT(opts), &o}};
    bool help;
    clv_status s = clv_cli_begin(&status_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    CLV_AUTO(clv_free) clv_lab_reply *r = clv_alloc(sizeof *r);
    s = ask(o.lab, &(clv_lab_request){.op = CLV_LAB_STATUS}, r, err);
    if (s) return s;
    if (o.json) return status_json(r);
    status_table(r);
    return CLV_OK;
}

static clv_status link_number(const clv_lab_reply *r, const char *name, uint32_t *out,
                              clv_error *err)
{
    if (name == NULL && r->n_links == 1) {
        *out = 0;
        return CLV_OK;
    }
    for (uint32_t i = 0; name && i < r->n_links; i++)
        if (strcmp(r->links[i].name, name) == 0) {
            *out = i;
            return CLV_OK;
        }
    clv_buf known = {0};
    for (size_t i = 0; i < r->n_links; i++)
        clv_buf_printf(&known, "%s%s", i ? ", " : "", r->links[i].name);
    clv_status s = clv_fail(err, CLV_EUSAGE, "--on '%s': the links of the lab are %s",
                            name ? name : "", known.len ? known.data : "none");
    clv_buf_done(&known);
    return s;
}

static const clv_cli_about set_about = {
    .usage = "cleave lab set [--lab LAB] [--on LINK] [--link LINK] [--rate RATE] ...",
    .text =
        "Change a link of a running lab. What is not named stays. Packets that wait for the link "
        "go out at the new rate.",
    .examples = "cleave lab set --link 3g                     the next town\n"
                "cleave lab set --up 200kbit --loss 2%        a bad uplink\n"
                "cleave lab set --link down                   a tunnel\n"
                "cleave lab set --on edge-gateway --rtt 20ms  one link of several\n",
};

static clv_status set(clv_args *args, clv_error *err)
{
    static const clv_opt opts[] = {
        LAB_OPT,
        CLV_OPT(lab_options, on, TEXT, "on", NULL, .arg = "LINK",
                .help = "which link, such as edge-cloud; default: the only one"),
    };
    lab_options o = {0};
    clv_lab_link_flags flags = {0};
    const clv_opt_set sets[] = {{opts, CLV_COUNT(opts), &o},
                                {clv_lab_link_opts, clv_lab_link_opts_n, &flags}};
    bool help;
    clv_status s = clv_cli_begin(&set_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    clv_lab_link_change change;
    s = clv_lab_link_change_parse(&flags, flags.link, &change, err);
    if (s) return s;
    if (!change.fields[CLV_UP] && !change.fields[CLV_DOWN])
        return clv_fail(err, CLV_EUSAGE, "nothing to change; try --link 3g or --rate 1.1Mbit");
    CLV_AUTO(clv_free) clv_lab_reply *r = clv_alloc(sizeof *r);
    clv_lab_request q = {.op = CLV_LAB_STATUS};
    s = ask(o.lab, &q, r, err);
    if (s == CLV_OK) s = link_number(r, o.on, &q.link, err);
    if (s) return s;
    q.op = CLV_LAB_SET;
    memcpy(q.values, change.values, sizeof q.values);
    memcpy(q.fields, change.fields, sizeof q.fields);
    return ask(o.lab, &q, r, err);
}

static clv_status run(clv_args *args, clv_error *err)
{
    return clv_lab_run(args, false, err);
}

static clv_status shell(clv_args *args, clv_error *err)
{
    return clv_lab_run(args, true, err);
}

typedef struct action {
    const char *name;
    clv_status (*run)(clv_args *args, clv_error *err);
    const char *summary;
} action;

static const action actions[] = {
    {"run", run, "run commands on emulated hosts joined by an emulated link"},
    {"shell", shell, "a shell on one of the hosts"},
    {"set", set, "change a link of a running lab"},
    {"status", status, "show the links of a running lab"},
    {"links", links, "list the named links"},
    {"validate", clv_lab_validate_command, "measure how exact the emulation is on this machine"},
};

static void print_actions(FILE *out)
{
    fputs(
        "Usage: cleave lab ACTION [ARGUMENT...]\n\n"
        "Emulated hosts joined by emulated links, on this machine: network namespaces (of a user\n"
        "namespace when not root) and a relay with rate, delay, jitter and loss in each "
        "direction.\n"
        "\nActions:\n",
        out);
    for (size_t i = 0; i < CLV_COUNT(actions); i++)
        fprintf(out, "  %-9s %s\n", actions[i].name, actions[i].summary);
    fputs("\n`cleave lab ACTION --help` explains one.\n", out);
}

clv_status clv_cmd_lab(clv_args *args, clv_error *err)
{
    const char *name = args->argc > 0 ? args->argv[0] : NULL;
    if (name && (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)) {
        print_actions(stdout);
        return CLV_OK;
    }
    clv_nearest near = clv_nearest_to(name ? name : "");
    clv_args rest = {.argv = args->argv + 1, .argc = args->argc - 1};
    for (size_t i = 0; i < CLV_COUNT(actions); i++) {
        if (name && strcmp(name, actions[i].name) == 0) return actions[i].run(&rest, err);
        clv_nearest_try(&near, actions[i].name);
    }
    if (name == NULL)
        return clv_fail(err, CLV_EUSAGE,
                        "an action is missing: run, shell, set, status, links or "
                        "validate; `cleave lab --help` explains them");
    return clv_fail(err, CLV_EUSAGE, "unknown action '%s'%s%s%s; `cleave lab --help` lists them",
                    name, near.name ? ", did you mean '" : "", near.name ? near.name : "",
                    near.name ? "'?" : "");
}
