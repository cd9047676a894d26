/* cleave demo: a cloud node, an edge node, an emulated link, the classic networks: one table that shows the point. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/demo_edge.h"
#include "cli/demo_report.h"
#include "cli/progress.h"
#include "lab/lab.h"
#include "measure/profile_cache.h"
#include "zoo/zoo.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An example of a device, of the class of a Jetson Nano in its 10 W mode; --power tells of another. */
#define CLV_DEMO_POWER "idle=2W,active=10W"
enum { CLV_DEMO_PORT = 8000, CLV_DEMO_SEED = 1, CLV_DEMO_LINE_MAX = 16384 };
/* Plans are as good as the profiles: whoever measures rows for longer takes these for longer, too. */
#define CLV_DEMO_PROFILE_US 15000000
enum { CLV_DEMO_PROFILE_BUDGETS = 2 };
#define CLV_DEMO_EDGE_LIMIT_US ((int64_t)1800 * 1000000)

typedef struct demo_options {
    clv_text_list networks, links;
    const char *dir, *codecs;
    double slow, drop_points;
    int64_t budget_us, load;
    bool json, lines, quick, policies;
    int log_level;
} demo_options;

static const clv_opt demo_opts[] = {
    CLV_OPT(demo_options, networks, LIST, "networks", "alexnet,vgg16,mobilenet_v2,lenet,resnet18",
            .arg = "NAME,...", .help = "networks to show"),
    CLV_OPT(demo_options, links, LIST, "links", "3g,lte,wifi,lan", .arg = "LINK,...",
            .help = "links to show: names (`cleave lab links`) or RATE,RTT"),
    CLV_OPT(demo_options, slow, REAL, "slow", "4", .min = 1, .max = 1000,
            .help = "how many times slower the edge's device is"),
    CLV_OPT(demo_options, budget_us, DURATION, "budget", "6s", .max = 3600e6,
            .help = "about how long to measure a row"),
    CLV_OPT(demo_options, policies, FLAG, "policies", NULL,
            .help = "measure also the cuts that other policies choose (plan --policy all)"),
    CLV_OPT(demo_options, load, INT, "load", "0", .max = 64,
            .help = "frames per second with so many requests in flight, of every policy's cut"),
    CLV_OPT(demo_options, codecs, TEXT, "codecs", "raw", .arg = "LIST",
            .help = "how tensors may be written for a link: auto, raw, or names: f16,q8+zstd. raw: "
                    "to compare with what others measure"),
    CLV_OPT(demo_options, drop_points, REAL, "accuracy-drop", "0.1", .arg = "POINTS",
            .max = CLV_OFFER_DROP_MAX,
            .help = "percentage points of accuracy that codecs may cost in all; 100: any"),
    CLV_OPT(demo_options, dir, TEXT, "dir", NULL, .arg = "DIR",
            .help = "where the networks are written (default: the cache)"),
    CLV_OPT(demo_options, json, FLAG, "json", NULL, .help = "the rows as JSON"),
    CLV_OPT(demo_options, lines, FLAG, "lines", NULL,
            .help = "each row as a line of JSON, as soon as it is there"),
    CLV_OPT(demo_options, quick, FLAG, "quick", NULL, .help = "two networks on two links"),
    CLV_OPT(demo_options, log_level, CHOICE, "log", "error", .choices = "debug|info|warn|error",
            .help = "least level to log"),
};

static const clv_cli_about about = {
    .usage = "cleave demo [--networks NAME,...] [--links LINK,...] [options]",
    .text = "Emulates a weak edge device, a cloud and the link between them, and answers real "
            "requests for classic networks: "
            "for each network and link the plan that cleave chose, its measured latency, and what "
            "everything on one side "
            "would have taken. With --peer it is the edge's half, against a node that is already "
            "running.",
    .examples =
        "cleave demo                                     all of it, some minutes\n"
        "cleave demo --quick                             two networks, two links\n"
        "cleave demo --codecs f16 --links 3g             with half the bytes on the link\n"
        "cleave demo --policies --slow 20                every policy's cut, measured\n"
        "cleave demo --peer http://10.0.0.2:8000 -m DIR  from this device, over the real link\n",
};

typedef struct demo {
    const demo_options *o;
    const clv_node_options *node;
    const clv_device_options *device;
    const char *power, *radio; /* radio NULL: of the link's name, where there is one */
    char *dir, *self;
    char threads[16]; /* of both nodes, and of the profiles: each host has one processor */
    clv_lab *lab;
    clv_progress *progress;
    clv_demo_rows rows;
} demo;

/* Write the networks that are not there yet. */
static clv_status write_networks(demo *d, clv_error *err)
{
    for (size_t i = 0; i < d->o->networks.n; i++) {
        const char *name = d->o->networks.items[i];
        CLV_AUTO(clv_text_free) char *path = clv_format("%s/%s/1/model.onnx", d->dir, name);
        if (clv_file_exists(path)) continue;
        clv_progress_show(d->progress, 0, "writing %s", name);
        const clv_zoo_network *network;
        clv_zoo_facts facts;
        if (clv_zoo_find(name, &network, err) ||
            clv_zoo_write(network, CLV_DEMO_SEED, d->dir, &facts, err))
            return err->status;
        clv_zoo_facts_done(&facts);
    }
    return CLV_OK;
}

typedef struct profiling {
    demo *d;
    const char *name;
} profiling;

static void show_profiling(void *arg, size_t done, size_t total)
{
    const profiling *p = arg;
    clv_progress_show(p->d->progress, p->d->rows.n, "profiling %s: %zu of %zu", p->name, done,
                      total);
}

/* Both nodes find the profiles in the cache: measure now, while nothing else runs. */
static clv_status profile_networks(demo *d, const clv_device_options *device, clv_error *err)
{
    clv_device_options plain = *device;
    plain.slowdown = 1;
    clv_engine *engine;
    if (clv_device_engine(&plain, &engine, err)) return err->status;
    CLV_AUTO(clv_text_free) char *cache = clv_profile_cache_dir();
    clv_status status = CLV_OK;
    for (size_t i = 0; !status && i < d->o->networks.n; i++) {
        profiling p = {d, d->o->networks.items[i]};
        CLV_AUTO(clv_text_free) char *path = clv_format("%s/%s/1/model.onnx", d->dir, p.name);
        clv_network *network;
        clv_profile *profile = NULL;
        clv_profiler_options options = {
            .model = p.name,
            .threads = clv_device_threads(&plain),
            .slowdown = 1,
            .budget_us = CLV_MAX(CLV_DEMO_PROFILE_US, CLV_DEMO_PROFILE_BUDGETS * d->o->budget_us),
            .steady = true};
        status = clv_network_open(path, engine, &(clv_network_options){0}, &network, err);
        if (status) break;
        status = clv_profile_cache_get(cache, network, engine, &options, show_profiling, &p,
                                       &profile, err);
        clv_profile_free(profile);
        clv_network_unref(network);
    }
    clv_engine_free(engine);
    return status;
}

/* One more word of a command line. */
static void add_word(clv_text_list *words, const char *word)
{
    clv_text_list_add(words, word, strlen(word));
}

static void add_option(clv_text_list *words, const char *flag, char *take)
{
    CLV_AUTO(clv_text_free) char *value = take;
    CLV_AUTO(clv_text_free) char *word = clv_format("--%s=%s", flag, value);
    add_word(words, word);
}

/* What both nodes have in common. */
static void add_shared(const demo *d, clv_text_list *words)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    add_option(words, "models", clv_strdup(d->dir));
    add_option(words, "threads", clv_strdup(d->threads));
    add_option(words, "device", clv_strdup(d->device->device));
    add_option(words, "log", clv_strdup(levels[d->o->log_level]));
    add_option(words, "queue", clv_format("%lld", (long long)d->node->queue_max));
    add_option(words, "batch-max", clv_format("%lld", (long long)d->node->batch_max));
    if (d->device->spin) add_word(words, "--spin");
}

/* Run this program with these words on a host. */
static clv_status spawn(demo *d, size_t host, const clv_text_list *words, int out_fd, pid_t *pid,
                        clv_error *err)
{
    CLV_AUTO(clv_free) const char **argv = clv_alloc_array(words->n + 2, sizeof *argv);
    argv[0] = d->self;
    for (size_t i = 0; i < words->n; i++) argv[i + 1] = words->items[i];
    return clv_lab_spawn(
        d->lab, host, &(clv_lab_command){.argv = argv, .out_fd = out_fd, .err_fd = -1}, pid, err);
}

static clv_status start_cloud(demo *d, clv_error *err)
{
    CLV_AUTO(clv_text_list_done) clv_text_list words = {0};
    pid_t pid;
    add_word(&words, "serve");
    add_shared(d, &words);
    add_option(&words, "host", clv_strdup(clv_lab_address(d->lab, 1)));
    add_option(&words, "port", clv_format("%d", CLV_DEMO_PORT));
    return spawn(d, 1, &words, -1, &pid, err);
}

/* Rows as they come out of the edge's half. */
static clv_status read_rows(demo *d, int fd, clv_error *err)
{
    FILE *in = fdopen(fd, "r");
    if (!in) return clv_fail_errno(err, "demo: pipe");
    char line[CLV_DEMO_LINE_MAX];
    clv_status status = CLV_OK;
    while (!status && fgets(line, sizeof line, in)) {
        clv_demo_row row;
        status = clv_demo_row_parse(line, &row, err);
        if (status) break;
        clv_demo_rows_add(&d->rows, &row);
        if (d->o->lines) {
            clv_progress_clear(d->progress);
            fputs(line, stdout);
            fflush(stdout);
        }
        clv_progress_show(d->progress, d->rows.n, "%s over %s: %s", row.network, row.link,
                          row.plan);
    }
    fclose(in);
    return status;
}

static char *join_networks(const clv_text_list *list)
{
    clv_buf text = {0};
    for (size_t i = 0; i < list->n; i++)
        clv_buf_printf(&text, "%s%s", i ? "," : "", list->items[i]);
    return clv_buf_take(&text);
}

/* What the edge's half is told. */
static void add_edge(const demo *d, const char *link, clv_text_list *words)
{
    const char *radio = d->radio ? d->radio : link;
    clv_radio known = {0};
    add_word(words, "demo");
    add_shared(d, words);
    add_option(words, "peer",
               clv_format("http://%s:%d", clv_lab_address(d->lab, 1), CLV_DEMO_PORT));
    add_option(words, "networks", join_networks(&d->o->networks));
    add_option(words, "links", clv_strdup(link));
    add_option(words, "budget", clv_format("%lldus", (long long)d->o->budget_us));
    add_option(words, "codecs", clv_strdup(d->o->codecs));
    add_option(words, "accuracy-drop", clv_format("%.17g", d->o->drop_points));
    add_option(words, "load", clv_format("%d", (int)d->o->load));
    add_option(words, "policy", clv_strdup(clv_policy_name((clv_policy)d->node->policy)));
    add_option(words, "watch", clv_format("%lldus", (long long)d->node->watch_us));
    add_option(words, "patience", clv_format("%lldus", (long long)d->node->patience_us));
    add_option(words, "power", clv_strdup(d->power));
    if (clv_radio_parse(radio, &known, NULL) == CLV_OK)
        add_option(words, "radio", clv_strdup(radio));
    if (d->o->policies) add_word(words, "--policies");
    add_word(words, "--lines");
}

/* The edge's half as a program of its own, on the edge host. */
static clv_status run_edge(demo *d, const char *link, clv_error *err)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC)) return clv_fail_errno(err, "demo: pipe");
    CLV_AUTO(clv_text_list_done) clv_text_list words = {0};
    add_edge(d, link, &words);
    pid_t pid;
    clv_status status = spawn(d, 0, &words, fds[1], &pid, err);
    close(fds[1]);
    if (status) {
        close(fds[0]);
        return status;
    }
    status = read_rows(d, fds[0], err);
    int code = 0;
    if (!status) status = clv_lab_wait(d->lab, pid, CLV_DEMO_EDGE_LIMIT_US, &code, err);
    if (!status && code)
        status = clv_fail(err, CLV_EINTERNAL, "the edge's half over %s ended with status %d", link,
                          code);
    return status;
}

static clv_status parse_link(const char *text, clv_link *out, clv_error *err)
{
    clv_error why = {0};
    return clv_link_parse(text, out, &why) ? clv_fail(err, CLV_EUSAGE, "--links: %s", why.text)
                                           : CLV_OK;
}

static clv_status run_links(demo *d, clv_error *err)
{
    clv_status status = start_cloud(d, err);
    for (size_t i = 0; !status && i < d->o->links.n; i++) {
        clv_link link;
        clv_shape_values up, down;
        status = parse_link(d->o->links.items[i], &link, err);
        if (status) break;
        clv_lab_link_values(&link, &up, &down);
        status = clv_lab_set_link(d->lab, 0, &up, &down, err);
        if (!status) status = run_edge(d, d->o->links.items[i], err);
    }
    return status;
}

/* What the energies of the rows are made with. */
static clv_status note_power(const char *text, const char *radio, bool example, clv_demo_rows *rows,
                             clv_error *err)
{
    clv_power power = {0};
    clv_radio link = {0};
    double price = 0;
    clv_error why = {0};
    if (text && clv_power_parse(text, 1, &power, &price, &why))
        return clv_fail(err, CLV_EUSAGE, "--power: %s", why.text);
    if (radio && clv_radio_parse(radio, &link, &why))
        return clv_fail(err, CLV_EUSAGE, "--radio: %s", why.text);
    if (clv_power_known(&power) || clv_radio_known(&link))
        snprintf(rows->power, sizeof rows->power, "given watts (%s%s%s%s)",
                 example ? "an example: " : "", text ? text : "", text && radio ? "; radio " : "",
                 radio ? radio : "");
    return CLV_OK;
}

static clv_status run_lab(const demo_options *o, const clv_node_options *node,
                          const clv_device_options *device, clv_error *err)
{
    if (strcmp(node->models, "models") != 0 || node->cpu >= 0)
        return clv_fail(err, CLV_EUSAGE,
                        "--models and --pin are for --peer; without it --dir says where the "
                        "networks are, and each host has its processor");
    clv_link first = {0};
    for (size_t i = o->links.n; i-- > 0;) /* all of them, before the first one takes minutes */
        if (parse_link(o->links.items[i], &first, err)) return err->status;
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return clv_fail_errno(err, "/proc/self/exe");
    self[n] = 0;
    demo d = {.o = o,
              .node = node,
              .device = device,
              .self = self,
              .power = node->power ? node->power : CLV_DEMO_POWER,
              .radio = node->radio};
    if (note_power(d.power, d.radio, !node->power, &d.rows, err)) return err->status;
    clv_device_options one = *device;
    if (one.threads == 0) one.threads = 1;
    snprintf(d.threads, sizeof d.threads, "%d", (int)one.threads);
    CLV_AUTO(clv_text_free) char *cache = clv_profile_cache_dir();
    d.dir = o->dir ? clv_strdup(o->dir) : clv_format("%s/../zoo-%d", cache, CLV_DEMO_SEED);
    bool two = sysconf(_SC_NPROCESSORS_ONLN) > 1;
    const clv_lab_host hosts[] = {{.name = "edge", .slowdown = o->slow, .cpus = two ? "0" : NULL},
                                  {.name = "cloud", .cpus = two ? "1" : NULL}};
    clv_lab_link wire = {.from = 0, .to = 1};
    clv_lab_link_values(&first, &wire.up, &wire.down);
    clv_lab_options lab = {.hosts = hosts,
                           .n_hosts = 2,
                           .links = &wire,
                           .n_links = 1,
                           .seed = 1,
                           .keep_window = true,
                           .loopback_allowed = true};
    clv_status status = clv_lab_new(&lab, &d.lab, err);
    if (!status) {
        if (!clv_lab_emulated(d.lab)) fprintf(stderr, "cleave demo: %s\n", clv_lab_note(d.lab));
        d.progress = clv_progress_new("demo", o->networks.n * o->links.n);
        status = clv_dir_make(d.dir, err);
        if (!status) status = write_networks(&d, err);
        if (!status) status = profile_networks(&d, &one, err);
        if (!status) status = run_links(&d, err);
        clv_progress_free(d.progress);
    }
    bool emulated = d.lab && clv_lab_emulated(d.lab);
    clv_lab_free(d.lab);
    if (!o->lines) clv_demo_print(stdout, &d.rows, o->slow, emulated, o->json);
    clv_demo_rows_done(&d.rows);
    clv_text_free(&d.dir);
    return status;
}

static void print_line(void *arg, const clv_demo_row *row)
{
    (void)arg;
    CLV_AUTO(clv_text_free) char *line = clv_demo_row_json(row);
    printf("%s\n", line);
    fflush(stdout);
}

static void keep_row(void *arg, const clv_demo_row *row)
{
    clv_demo_rows_add(arg, row);
}

/* The edge's half: against a node that runs already. */
static clv_status run_edge_half(const demo_options *o, const clv_node_options *node,
                                const clv_device_options *device, bool named_link, clv_error *err)
{
    clv_link link;
    if (named_link && parse_link(o->links.items[0], &link, err)) return err->status;
    clv_demo_rows rows = {0};
    if (note_power(node->power, node->radio, false, &rows, err)) return err->status;
    clv_demo_edge edge = {.node = node,
                          .device = device,
                          .networks = &o->networks,
                          .link_name = named_link ? o->links.items[0] : "measured",
                          .link = named_link ? &link : NULL,
                          .budget_us = o->budget_us,
                          .policies = o->policies,
                          .load = o->load,
                          .row = o->lines ? print_line : keep_row,
                          .arg = &rows};
    clv_status status = clv_demo_edge_run(&edge, err);
    if (!o->lines) clv_demo_print(stdout, &rows, device->slowdown, true, o->json);
    clv_demo_rows_done(&rows);
    return status;
}

/* A list is split at its commas, also within RATE,RTT: put those together again. */
static void join_links(clv_text_list *links)
{
    size_t n = 0;
    for (size_t i = 0; i < links->n; i++) {
        char *link = links->items[i];
        clv_link alone; /* "3g" begins with a digit, too */
        if (isdigit((unsigned char)link[0]) && i + 1 < links->n &&
            clv_link_parse(link, &alone, NULL)) {
            char *both = clv_format("%s,%s", link, links->items[++i]);
            free(link);
            free(links->items[i]);
            link = both;
        }
        links->items[n++] = link;
    }
    links->n = n;
}

static void set_list(clv_text_list *list, const char *a, const char *b)
{
    clv_text_list_done(list);
    clv_text_list_add(list, a, strlen(a));
    clv_text_list_add(list, b, strlen(b));
}

clv_status clv_cmd_demo(clv_args *args, clv_error *err)
{
    demo_options o = {0};
    clv_node_options node = {0};
    clv_device_options device = {0};
    const clv_opt_set sets[] = {{demo_opts, CLV_COUNT(demo_opts), &o},
                                {clv_node_opts, clv_node_opts_n, &node},
                                {clv_device_opts, clv_device_opts_n, &device}};
    bool help;
    if (clv_cli_begin(&about, sets, CLV_COUNT(sets), args, &help, err)) return err->status;
    if (help) return CLV_OK;
    node.offer = (clv_offer_options){.codecs = o.codecs, .drop_points = o.drop_points};
    clv_plan_offer offer = {0};
    clv_status status = clv_offer_read(&node.offer, &offer, err);
    if (offer.named >> 1) /* who names codecs is told which are left out */
        o.log_level = CLV_MIN(o.log_level, (int)CLV_LOG_WARN);
    clv_log_set_level((clv_log_level)o.log_level);
    signal(SIGPIPE, SIG_IGN);
    join_links(&o.links);
    if (strcmp(node.private, "none") != 0) {
        clv_opt_done(sets, CLV_COUNT(sets));
        return clv_fail(err, CLV_EUSAGE,
                        "--private: the demo measures every cut, also those that would not be "
                        "allowed; `cleave tasks` and `cleave serve` keep it");
    }
    if (o.quick) {
        set_list(&o.networks, "lenet", "alexnet");
        set_list(&o.links, "lte", "wifi");
    }
    if (!status)
        status = node.peers.n ? run_edge_half(&o, &node, &device, o.links.n == 1, err)
                              : run_lab(&o, &node, &device, err);
    clv_opt_done(sets, CLV_COUNT(sets));
    return status;
}
