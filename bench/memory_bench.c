/* Resident memory of a network's segments: the whole alone, and whole + prefix + suffix, cut in the
 * middle of the bytes.
 *
 *     build/bench/memory_bench models/alexnet models/vgg16 > bench/results/memory.json
 *
 * Each row is measured in a process of its own after one inference of every session. `shared` are
 * cleave's segments (one map of the weights, one container of repacked weights); `plain` are the
 * same parts as stand-alone ONNX files in ordinary ONNX Runtime sessions. anonymous_bytes is what
 * the process needs for itself; the rest of resident_bytes is the mapped file, which the kernel
 * shares and can drop.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "engine/ort.h"
#include "repo/locate.h"
#include "repo/network.h"
#include "tensor/random.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(clv_status status, const clv_error *err)
{
    if (!status) return;
    fprintf(stderr, "memory_bench: %s\n", err->text);
    exit(1);
}

static json_int_t rollup(const char *field)
{
    char line[256];
    json_int_t kilobytes = 0;
    size_t n = strlen(field);
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, field, n) == 0 && line[n] == ':')
            kilobytes = strtoll(line + n + 1, NULL, 10);
    if (f) fclose(f);
    return kilobytes * 1024;
}

/* The cut that has half of the weights before it. */
static size_t middle_cut(const clv_network *net)
{
    const clv_graph *g = clv_network_graph(net);
    const clv_cuts *cuts = clv_network_cuts(net);
    uint64_t all = clv_graph_params(g), best = UINT64_MAX;
    size_t cut = cuts->n / 2;
    for (size_t i = 1; i + 1 < cuts->n; i++) {
        uint64_t before = 0;
        for (size_t u = 0; u < g->n_units; u++)
            if (clv_cut_has(&cuts->items[i], (int)u)) before += g->units[u].params;
        uint64_t away = before > all / 2 ? before - all / 2 : all / 2 - before;
        if (away < best) {
            best = away;
            cut = i;
        }
    }
    return cut;
}

static void run_random(const clv_tensor_spec *specs, size_t n, clv_segment *segment,
                       clv_session *session)
{
    clv_error err = {0};
    clv_rng rng = clv_rng_seeded(1);
    clv_tensors in = {0}, out = {0};
    check(clv_tensors_random(specs, n, 1, &rng, &in, &err), &err);
    check(segment ? clv_segment_run(segment, in.items, in.n, &out, &err)
                  : clv_session_run(session, in.items, in.n, &out, &err),
          &err);
    clv_tensors_done(&in);
    clv_tensors_done(&out);
}

typedef struct measured {
    const char *model, *sessions, *kind;
    int64_t load_us;
} measured;

static void print_row(const measured *m)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "model", m->model, "sessions",
                            m->sessions, "kind", m->kind, "anonymous_bytes", rollup("Anonymous"),
                            "resident_bytes", rollup("Rss"), "proportional_bytes", rollup("Pss"),
                            "load_us", (json_int_t)m->load_us);
    json_dumpf(row, stdout, 0);
    putchar('\n');
    fflush(stdout);
}

/* ---- cleave's segments ---- */

static void load_segment(clv_network *net, size_t from, size_t to)
{
    clv_error err = {0};
    clv_segment *s;
    size_t n;
    check(clv_network_segment(net, from, to, &s, &err), &err);
    const clv_tensor_spec *specs = clv_segment_inputs(s, &n);
    run_random(specs, n, s, NULL); /* never unreferenced: the process ends */
}

static void measure_shared(const char *name, clv_network *net, bool parts)
{
    int64_t begin = clv_now_us();
    size_t last = clv_network_cuts(net)->n - 1, cut = middle_cut(net);
    load_segment(net, 0, last);
    if (parts) {
        load_segment(net, 0, cut);
        load_segment(net, cut, last);
    }
    print_row(
        &(measured){name, parts ? "whole+prefix+suffix" : "whole", "shared", clv_now_us() - begin});
}

/* ---- plain ONNX Runtime ---- */

static void load_file(clv_engine *engine, const char *path)
{
    clv_error err = {0};
    clv_map map;
    clv_session *s;
    check(clv_map_open(path, &map, &err), &err);
    clv_source source = {.name = path, .model = map.data, .model_bytes = map.bytes};
    check(clv_engine_compile(engine, &source, &s, &err), &err);
    clv_map_done(&map);
    run_random(s->inputs, s->n_inputs, NULL, s);
}

static void measure_plain(const char *name, clv_network *net, clv_engine *engine,
                          const char *folder, bool parts)
{
    clv_error err = {0};
    CLV_AUTO(clv_text_free) char *prefix = clv_path_join(folder, "prefix.onnx");
    CLV_AUTO(clv_text_free) char *suffix = clv_path_join(folder, "suffix.onnx");
    size_t cut = middle_cut(net);
    if (parts) {
        check(clv_network_export(net, 0, cut, prefix, &err), &err);
        check(clv_network_export(net, cut, clv_network_cuts(net)->n - 1, suffix, &err), &err);
    }
    CLV_AUTO(clv_text_free) char *whole = clv_strdup(clv_network_path(net));
    clv_network_unref(net);
    int64_t begin = clv_now_us();
    load_file(engine, whole);
    if (parts) {
        load_file(engine, prefix);
        load_file(engine, suffix);
    }
    print_row(
        &(measured){name, parts ? "whole+prefix+suffix" : "whole", "plain", clv_now_us() - begin});
}

static void measure(const char *model, bool shared, bool parts, const char *folder)
{
    clv_error err = {0};
    clv_located at;
    clv_engine *engine;
    clv_network *net;
    check(clv_locate(model, NULL, &at, &err), &err);
    check(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &engine, &err), &err);
    check(clv_network_open(at.path, engine, &(clv_network_options){0}, &net, &err), &err);
    if (shared)
        measure_shared(at.name, net, parts);
    else
        measure_plain(at.name, net, engine, folder, parts);
}

int main(int argc, char **argv)
{
    clv_error err = {0};
    char *folder;
    check(clv_dir_temp("memory", &folder, &err), &err);
    for (int i = 1; i < argc; i++)
        for (int way = 0; way < 4; way++) {
            pid_t child = fork();
            if (child == 0) {
                measure(argv[i], way & 2, way & 1, folder);
                _exit(0);
            }
            int status;
            if (child < 0 || waitpid(child, &status, 0) < 0 || status)
                check(CLV_EIO, &(clv_error){.text = "a measurement failed"});
        }
    clv_dir_remove(folder);
    free(folder);
    return argc < 2;
}
