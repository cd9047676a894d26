#include "cli/plan_devices.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const clv_opt clv_plan_devices_opts[] = {
    CLV_OPT(clv_plan_devices_options, edge, TEXT, "edge", NULL, .arg = "FILE",
            .help = "the edge: a profile ('cleave profile') or calibration ('cleave calibrate')"),
    CLV_OPT(clv_plan_devices_options, cloud, TEXT, "cloud", NULL, .arg = "FILE",
            .help = "the cloud: a profile or a calibration"),
    CLV_OPT(clv_plan_devices_options, devices, TEXTS, "device", NULL, .arg = "[NAME=]FILE",
            .help = "instead of both: a file, once for each device, from the first to the last"),
    CLV_OPT(clv_plan_devices_options, links, TEXTS, "link", "wifi", .arg = "LINK",
            .help = "cat1, 3g, lte, wifi, lan, down, RATE,RTT or UP/DOWN,RTT; once for each link"),
    CLV_OPT(clv_plan_devices_options, powers, TEXTS, "power", NULL, .arg = "DEVICE=SPEC",
            .help = "what it takes, e.g. edge=idle=2W,active=7W or cloud=price=0.5/h"),
    CLV_OPT(clv_plan_devices_options, radios, TEXTS, "radio", NULL, .arg = "SPEC",
            .help =
                "what a link takes: wifi, lte, 3g or tx=1.2W,rx=0.9W,price=0.09/GB; once for each"),
    CLV_OPT(clv_plan_devices_options, queues, TEXTS, "queue", NULL, .arg = "[DEVICE=]TIME",
            .help = "wait before a device computes; without a name the last device's"),
    CLV_OPT(clv_plan_devices_options, overhead_us, DURATION, "overhead", "0us",
            .help = "fixed cost of a remote exchange besides the link"),
};
const size_t clv_plan_devices_opts_n = CLV_COUNT(clv_plan_devices_opts);

clv_status clv_plan_split_pair(const char *flag, const char *text, const char *form, char **name,
                               char **value, clv_error *err)
{
    const char *equals = strrchr(text, '=');
    if (!equals || equals == text || !equals[1])
        return clv_fail(err, CLV_EUSAGE, "--%s '%.200s': must be %s", flag, text, form);
    *name = clv_strndup(text, (size_t)(equals - text));
    *value = clv_strdup(equals + 1);
    return CLV_OK;
}

clv_status clv_plan_device_find(const clv_plan_problem *p, const char *name, size_t *out,
                                clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf names = {0};
    for (size_t k = 0; k < p->n_devices; k++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", k);
        if (strcmp(name, p->devices[k].name) == 0 || strcmp(name, number) == 0) {
            *out = k;
            return CLV_OK;
        }
        clv_buf_printf(&names, "%s%s", k ? ", " : "", p->devices[k].name);
    }
    return clv_fail(err, CLV_EUSAGE, "no device is named '%.60s'; there are %.200s", name,
                    names.data);
}

/* "pi" of "a/b/pi.json". */
static void name_of_file(const char *path, char *name, size_t size)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    snprintf(name, size, "%s", base);
    char *dot = strrchr(name, '.');
    if (dot && dot > name) *dot = 0;
}

typedef struct named_file {
    char name[CLV_PLAN_NAME_MAX];
    const char *path;
} named_file;

static clv_status named_devices(const clv_plan_devices_options *o, named_file *files, size_t *n,
                                clv_error *err)
{
    if (o->devices.n > CLV_PLAN_DEVICES_MAX)
        return clv_fail(err, CLV_EUSAGE, "--device: %zu are given, at most %d are allowed",
                        o->devices.n, CLV_PLAN_DEVICES_MAX);
    if (o->devices.n < 2)
        return clv_fail(err, CLV_EUSAGE, "--device: one is given, a plan needs two or more");
    *n = o->devices.n;
    for (size_t k = 0; k < *n; k++) {
        const char *text = o->devices.items[k], *equals = strchr(text, '=');
        files[k].path = equals ? equals + 1 : text;
        if (equals)
            snprintf(files[k].name, sizeof files[k].name, "%.*s", (int)(equals - text), text);
        else
            name_of_file(text, files[k].name, sizeof files[k].name);
        for (size_t i = 0; i < k; i++)
            if (strcmp(files[i].name, files[k].name) == 0)
                return clv_fail(err, CLV_EUSAGE,
                                "--device '%.200s': two are named '%s'; write --device NAME=FILE",
                                text, files[k].name);
    }
    return CLV_OK;
}

static clv_status list_files(const clv_plan_devices_options *o, named_file *files, size_t *n,
                             clv_error *err)
{
    if (o->devices.n && (o->edge || o->cloud))
        return clv_fail(err, CLV_EUSAGE, "--device and --%s are given: either is right",
                        o->edge ? "edge" : "cloud");
    if (o->devices.n) return named_devices(o, files, n, err);
    if (!o->edge || !o->cloud)
        return clv_fail(err, CLV_EUSAGE, "--%s is missing: a profile written by 'cleave profile'",
                        o->edge ? "cloud" : "edge");
    files[0] = (named_file){"edge", o->edge};
    files[1] = (named_file){"cloud", o->cloud};
    *n = 2;
    return CLV_OK;
}

static clv_status read_links(const clv_plan_devices_options *o, size_t n_devices, clv_link *links,
                             clv_error *err)
{
    if (o->links.n != n_devices - 1)
        return clv_fail(err, CLV_EUSAGE, "--link: %zu given, %zu devices need %zu", o->links.n,
                        n_devices, n_devices - 1);
    if (o->radios.n > n_devices - 1)
        return clv_fail(err, CLV_EUSAGE, "--radio: %zu given, there are %zu links", o->radios.n,
                        n_devices - 1);
    for (size_t k = 0; k + 1 < n_devices; k++) {
        clv_error why = {0};
        if (clv_link_parse(o->links.items[k], &links[k], &why))
            return clv_fail(err, CLV_EUSAGE, "--%s", why.text);
        if (k < o->radios.n && clv_radio_parse(o->radios.items[k], &links[k].radio, &why))
            return clv_fail(err, CLV_EUSAGE, "--radio: %s", why.text);
    }
    return CLV_OK;
}

/* "edge=idle=2W,...": the device's name ends at the first '='. */
static clv_status set_power(const char *text, const named_file *files, clv_plan_devices *d,
                            clv_error *err)
{
    size_t n = strcspn(text, "="), k = 0;
    while (k < d->files.n && (strlen(files[k].name) != n || memcmp(files[k].name, text, n) != 0))
        k++;
    if (!text[n] || k == d->files.n)
        return clv_fail(err, CLV_EUSAGE,
                        "--power '%.200s': must be DEVICE=SPEC of a device such as '%s'", text,
                        files[0].name);
    clv_profile *p = d->files.profiles[k];
    clv_error why = {0};
    if (clv_power_parse(text + n + 1, CLV_MAX(p->threads, 1), &p->power, &p->price_per_s, &why))
        return clv_fail(err, CLV_EUSAGE, "--power %s: %s", files[k].name, why.text);
    return CLV_OK;
}

static clv_status set_queue(const char *text, clv_plan_tables *t, clv_error *err)
{
    size_t device = t->problem.n_devices - 1;
    const char *equals = strrchr(text, '=');
    CLV_AUTO(clv_text_free)
    char *name = equals ? clv_strndup(text, (size_t)(equals - text)) : NULL;
    clv_error why = {0};
    int64_t us = 0;
    if ((name && clv_plan_device_find(&t->problem, name, &device, &why)) ||
        clv_parse_duration(equals ? equals + 1 : text, &us, &why))
        return clv_fail(err, CLV_EUSAGE, "--queue: %s", why.text);
    clv_plan_tables_wait(t, device, (double)us);
    return CLV_OK;
}

static clv_status read_files(const clv_plan_devices_options *o, const named_file *files, size_t n,
                             const clv_located *model, clv_plan_devices *d, clv_error *err)
{
    const char *paths[CLV_PLAN_DEVICES_MAX];
    for (size_t k = 0; k < n; k++) paths[k] = files[k].path;
    clv_status s = clv_plan_files_read(paths, n, model, &d->files, err);
    for (size_t i = 0; i < o->powers.n && s == CLV_OK; i++)
        s = set_power(o->powers.items[i], files, d, err);
    return s;
}

static clv_status make_tables(const clv_plan_devices_options *o, const named_file *files,
                              const clv_link *links, clv_plan_devices *d, clv_error *err)
{
    clv_plan_sources from = {
        .graph = d->files.graph, .cuts = d->files.cuts, .n_devices = d->files.n};
    for (size_t k = 0; k < d->files.n; k++) from.profiles[k] = d->files.profiles[k];
    for (size_t k = 0; k + 1 < d->files.n; k++) from.links[k] = links[k];
    clv_status s = clv_offer_read(&o->offer, &from.offer, err);
    if (s != CLV_OK) return s;
    int64_t start_ns = clv_now_ns();
    s = clv_plan_tables_new(&from, &d->tables, err);
    d->tables_us = (double)(clv_now_ns() - start_ns) / 1e3;
    if (s != CLV_OK) return s;
    for (size_t k = 0; k < d->files.n; k++) {
        clv_plan_device *device = &d->tables->problem.devices[k];
        memcpy(device->name, files[k].name, sizeof device->name);
    }
    for (size_t k = 0; k + 1 < d->files.n; k++)
        clv_plan_tables_overhead(d->tables, k, (double)o->overhead_us);
    for (size_t i = 0; i < o->queues.n && s == CLV_OK; i++)
        s = set_queue(o->queues.items[i], d->tables, err);
    return s;
}

clv_status clv_plan_devices_open(const clv_plan_devices_options *o, const clv_located *model,
                                 clv_plan_devices *out, clv_error *err)
{
    named_file files[CLV_PLAN_DEVICES_MAX] = {0};
    clv_link links[CLV_PLAN_DEVICES_MAX - 1] = {0};
    size_t n = 0;
    CLV_AUTO(clv_plan_devices_close) clv_plan_devices d = {0};
    clv_status s = list_files(o, files, &n, err);
    if (s == CLV_OK) s = read_links(o, n, links, err);
    if (s == CLV_OK) s = read_files(o, files, n, model, &d, err);
    if (s == CLV_OK) s = make_tables(o, files, links, &d, err);
    if (s != CLV_OK) return s;
    *out = d;
    d = (clv_plan_devices){0};
    return CLV_OK;
}

void clv_plan_devices_close(clv_plan_devices *d)
{
    clv_plan_tables_free(d->tables);
    clv_plan_files_done(&d->files);
    *d = (clv_plan_devices){0};
}
