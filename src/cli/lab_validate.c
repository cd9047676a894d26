/* cleave lab validate */
#include "lab/validate.h"

#include "base/mem.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/lab_options.h"
#include "cli/progress.h"
#include "cli/table.h"

#include <jansson.h>
#include <stdio.h>

typedef struct validate_options {
    const char *link, *congestion;
    int64_t seconds_us, repeats;
    int transport;
    bool json;
} validate_options;

static const clv_opt validate_opts[] = {
    CLV_OPT(validate_options, link, TEXT, "link", NULL, .arg = "NAME", .help = "only this preset"),
    CLV_OPT(validate_options, seconds_us, DURATION, "time", "1s", .min = 1e4, .max = 6e7,
            .help = "length of a transfer at the link's rate"),
    CLV_OPT(validate_options, repeats, INT, "repeats", "3", .min = 1, .max = 100,
            .help = "transfers of each kind; the median counts"),
    CLV_OPT(validate_options, congestion, TEXT, "congestion", CLV_LAB_CONGESTION_DEFAULT,
            .arg = "NAME", .help = "TCP's congestion control"),
    CLV_OPT(validate_options, transport, CHOICE, "transport", "auto", .choices = "auto|tun|packet",
            .help = "how packets reach the relay"),
    CLV_OPT(validate_options, json, FLAG, "json", NULL, .help = "print JSON"),
};

static const clv_cli_about about = {
    .usage = "cleave lab validate [--link NAME] [--json]",
    .text =
        "Send transfers of known size and pings through each named link, in both directions, and "
        "compare with what rate and round trip promise. Nothing else should run meanwhile.",
    .examples = "cleave lab validate\n"
                "cleave lab validate --link lan --repeats 20\n",
};

static void show_progress(void *data, size_t done, size_t total, const char *what)
{
    (void)total;
    clv_progress_show(data, done, "%s", what);
}

static json_t *transfers_json(const clv_validation *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->n_transfers; i++) {
        const clv_validate_transfer *t = &v->transfers[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "link", t->link,
                            "direction", t->direction == CLV_UP ? "up" : "down", "payload_bytes",
                            (json_int_t)t->payload_bytes, "wire_bytes", (json_int_t)t->wire_bytes,
                            "promised_us", t->promised_us, "measured_us", t->measured_us, "error",
                            t->error, "late_us_mean", t->late_us_mean, "relay_cpu", t->keeper_cpu));
    }
    return list;
}

static void print_json(const clv_validation *v, const char *note)
{
    json_t *pings = json_array();
    for (size_t i = 0; i < v->n_pings; i++) {
        const clv_validate_ping *p = &v->pings[i];
        json_array_append_new(pings, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "link", p->link,
                                               "promised_us", p->promised_us, "p50_us", p->p50_us,
                                               "p99_us", p->p99_us, "loopback_us", p->loopback_us,
                                               "extra_us", p->extra_us));
    }
    const clv_validate_loss *l = &v->loss;
    json_t *root = json_pack("{s:s, s:f, s:o, s:o, s:{s:f, s:f, s:f, s:I}}", "lab", note,
                             "worst_error", v->worst_error, "transfers", transfers_json(v), "pings",
                             pings, "loss", "asked", l->asked, "measured", l->measured, "sigma",
                             l->sigma, "packets", (json_int_t)l->packets);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(root);
}

static void print_transfers(const clv_validation *v)
{
    static const clv_column columns[] = {{"link", CLV_LEFT},      {"way", CLV_LEFT},
                                         {"payload", CLV_RIGHT},  {"promised", CLV_RIGHT},
                                         {"measured", CLV_RIGHT}, {"error", CLV_RIGHT},
                                         {"late", CLV_RIGHT},     {"relay cpu", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < v->n_transfers; i++) {
        const clv_validate_transfer *x = &v->transfers[i];
        clv_table_cell(t, "%s", x->link);
        clv_table_cell(t, "%s", x->direction == CLV_UP ? "up" : "down");
        clv_table_cell(t, "%s", clv_show_size((double)x->payload_bytes).s);
        clv_table_cell(t, "%s", clv_show_duration(x->promised_us).s);
        clv_table_cell(t, "%s", clv_show_duration(x->measured_us).s);
        clv_table_cell(t, "%+.2f %%", x->error * 100);
        clv_table_cell(t, "%s", clv_show_duration(x->late_us_mean).s);
        clv_table_cell(t, "%.1f %%", x->keeper_cpu * 100);
    }
    clv_table_print(t, stdout);
    clv_table_free(t);
}

static void print_pings(const clv_validation *v)
{
    static const clv_column columns[] = {
        {"ping", CLV_LEFT}, {"promised", CLV_RIGHT}, {"p50", CLV_RIGHT},
        {"p99", CLV_RIGHT}, {"loopback", CLV_RIGHT}, {"relay adds, each way", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < v->n_pings; i++) {
        const clv_validate_ping *p = &v->pings[i];
        clv_table_cell(t, "%s", p->link);
        clv_table_cell(t, "%s", clv_show_duration(p->promised_us).s);
        clv_table_cell(t, "%s", clv_show_duration(p->p50_us).s);
        clv_table_cell(t, "%s", clv_show_duration(p->p99_us).s);
        clv_table_cell(t, "%s", clv_show_duration(p->loopback_us).s);
        clv_table_cell(t, "%.1f µs", p->extra_us);
    }
    clv_table_print(t, stdout);
    clv_table_free(t);
}

static clv_status validate(const validate_options *o, clv_lab *lab, clv_error *err)
{
    clv_progress *progress = clv_progress_new("validate", clv_link_presets_n + 1);
    CLV_AUTO(clv_free) clv_validation *v = clv_alloc(sizeof *v);
    clv_status s = clv_lab_validate(lab,
                                    &(clv_validate_options){.only = o->link,
                                                            .seconds_us = o->seconds_us,
                                                            .repeats = (size_t)o->repeats,
                                                            .progress = show_progress,
                                                            .data = progress},
                                    v, err);
    clv_progress_free(progress);
    if (s) return s;
    if (o->json) {
        print_json(v, clv_lab_note(lab));
        return CLV_OK;
    }
    print_transfers(v);
    putchar('\n');
    print_pings(v);
    printf("\nloss asked %.2f %%, measured %.2f %% of %zu packets (sigma %.2f)\n",
           v->loss.asked * 100, v->loss.measured * 100, v->loss.packets, v->loss.sigma * 100);
    printf("worst error of a transfer %.2f %% (%s)\n", v->worst_error * 100, clv_lab_note(lab));
    return CLV_OK;
}

clv_status clv_lab_validate_command(clv_args *args, clv_error *err)
{
    validate_options o = {0};
    const clv_opt_set sets[] = {{validate_opts, CLV_COUNT(validate_opts), &o}};
    bool help;
    clv_status s = clv_cli_begin(&about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    const clv_lab_host hosts[] = {{.name = "edge"}, {.name = "cloud"}};
    const clv_lab_link link = {.from = 0, .to = 1};
    clv_lab *lab;
    s = clv_lab_new(&(clv_lab_options){.hosts = hosts,
                                       .n_hosts = 2,
                                       .links = &link,
                                       .n_links = 1,
                                       .congestion = o.congestion,
                                       .transport = (clv_lab_transport)o.transport},
                    &lab, err);
    if (s) return s;
    s = validate(&o, lab, err);
    clv_lab_free(lab);
    return s;
}
