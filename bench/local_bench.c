/* What a node adds to an inference that runs locally: the same model and input, four ways in turn.
 *
 *     local_bench CLEAVE MODELS SECONDS THREADS NETWORK...
 *
 *   bare      ONNX Runtime's C API in a loop: a session from the file, the input wrapped once, one
 *             Run and the output freed a turn
 *   inside    clv_server_submit() in this process: queue, compute lane, answer
 *   grpc      a `cleave serve` process, asked over one warm HTTP/2 connection on loopback by the
 *             client of `cleave infer`
 *   unix      the same process, asked by the same client over its Unix-domain socket
 *
 * All four compute with THREADS threads, and have the same processor for all that they do, client
 * included: 0 (with one thread; with more, the operating system places them). So no way gets a
 * second processor for its sockets, nor waits for one to wake. No thread spins. The four take turns;
 * a turn is some requests of which the first are not counted, as the others' weights are in the
 * caches. SECONDS: about how long, for each network.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "bench.h"
#include "cli/node.h"
#include "cli/remote.h"
#include "tensor/random.h"

#include <onnxruntime_c_api.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURN = 7, WARM = 2, TURNS_MIN = 5, TURNS_MAX = 2000, LINE_MAX_BYTES = 4096 };

/* --- bare ONNX Runtime --- */

typedef struct bare {
    const OrtApi *api;
    OrtEnv *env;
    OrtSession *session;
    OrtValue *input;
} bare;

static void ort_check(const OrtApi *api, OrtStatus *status)
{
    if (!status) return;
    fprintf(stderr, "bench: ONNX Runtime: %s\n", api->GetErrorMessage(status));
    exit(1);
}

static bare bare_open(const char *path, int threads, const clv_tensor *in)
{
    bare b = {.api = OrtGetApiBase()->GetApi(ORT_API_VERSION)};
    OrtSessionOptions *o;
    OrtMemoryInfo *cpu;
    ort_check(b.api, b.api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "bench", &b.env));
    ort_check(b.api, b.api->CreateSessionOptions(&o));
    ort_check(b.api, b.api->SetIntraOpNumThreads(o, threads));
    ort_check(b.api, b.api->AddSessionConfigEntry(o, "session.intra_op.allow_spinning", "0"));
    ort_check(b.api, b.api->CreateSession(b.env, path, o, &b.session));
    ort_check(b.api, b.api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &cpu));
    ort_check(b.api, b.api->CreateTensorWithDataAsOrtValue(
                         cpu, in->data, in->bytes, in->shape.dim, (size_t)in->shape.rank,
                         (ONNXTensorElementDataType)clv_dtype_onnx(in->dtype), &b.input));
    b.api->ReleaseMemoryInfo(cpu);
    b.api->ReleaseSessionOptions(o);
    return b;
}

static void bare_close(bare *b)
{
    b->api->ReleaseValue(b->input);
    b->api->ReleaseSession(b->session);
    b->api->ReleaseEnv(b->env);
}

/* --- a node in this process --- */

typedef struct inside {
    clv_node node;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ended;
} inside;

static void *run_loop(void *loop)
{
    clv_loop_run(loop);
    return NULL;
}

static void inside_open(inside *n, const char *models, int threads, int cpu)
{
    clv_error err = {0};
    clv_node_options o = {.models = models, .cpu = cpu, .queue_max = 16, .watch_us = 1000000};
    clv_device_options d = {.device = "cpu", .threads = threads, .slowdown = 1};
    bench_check(clv_node_start(&o, &d, &n->node, &err), &err);
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->wake, NULL);
    bench_need(pthread_create(&n->thread, NULL, run_loop, n->node.loop) == 0, "no thread");
    while (!clv_server_ready(n->node.server)) clv_sleep_us(1000);
}

static void inside_close(inside *n)
{
    clv_loop_stop(n->node.loop);
    pthread_join(n->thread, NULL);
    clv_node_stop(&n->node);
    pthread_cond_destroy(&n->wake);
    pthread_mutex_destroy(&n->lock);
}

static void on_done(clv_request *r)
{
    inside *n = r->carrier;
    pthread_mutex_lock(&n->lock);
    n->ended = true;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
}

/* --- a node as a process --- */

typedef struct outside {
    pid_t pid;
    FILE *log;
    clv_remote *tcp, *local;
} outside;

static clv_remote *connect_to(const char *url)
{
    clv_error err = {0};
    clv_remote *r = NULL;
    bench_check(
        clv_remote_open(&(clv_remote_options){.url = url, .timeout_us = 60000000}, &r, &err), &err);
    return r;
}

/* Its log tells the port that it got, and when the model is there. `socket`: the path of its other. */
static void outside_open(outside *n, const char *cleave, const char *models, const char *socket,
                         int threads, int cpu)
{
    int fds[2];
    char line[LINE_MAX_BYTES], url[128] = "", threads_text[16], cpu_text[16];
    snprintf(threads_text, sizeof threads_text, "%d", threads);
    snprintf(cpu_text, sizeof cpu_text, "%d", cpu);
    bench_need(pipe(fds) == 0, "no pipe");
    n->pid = fork();
    bench_need(n->pid >= 0, "no process");
    if (n->pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        execl(cleave, cleave, "serve", "-m", models, "-p", "0", "--socket", socket, "--threads",
              threads_text, "--pin", cpu_text, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    n->log = fdopen(fds[0], "r");
    bool ready = false;
    while ((!url[0] || !ready) && fgets(line, sizeof line, n->log)) {
        const char *at = strstr(line, "url=");
        if (at && !url[0]) sscanf(at, "url=%100s", url);
        ready |= strstr(line, "model ready") != NULL;
    }
    bench_need(ready && url[0], "cleave serve did not start");
    CLV_AUTO(clv_text_free) char *local = clv_format("unix:%s", socket);
    n->tcp = connect_to(url);
    n->local = connect_to(local);
}

static void outside_close(outside *n)
{
    clv_remote_free(n->tcp);
    clv_remote_free(n->local);
    kill(n->pid, SIGTERM);
    waitpid(n->pid, NULL, 0);
    fclose(n->log);
}

/* --- one network --- */

typedef struct way {
    const char *name;
    double *us, *extra_us; /* every counted run; each turn's median less the bare one's */
    size_t n;
} way;

typedef struct trial {
    const char *network;
    int cpu, threads;
    clv_tensors inputs;
    const char *input_name, *output_name;
    bare bare;
    inside inside;
    outside outside;
} trial;

static double run_bare(trial *t)
{
    OrtValue *out = NULL;
    int64_t start = clv_now_ns();
    ort_check(t->bare.api, t->bare.api->Run(t->bare.session, NULL, &t->input_name,
                                            (const OrtValue *const *)&t->bare.input, 1,
                                            &t->output_name, 1, &out));
    t->bare.api->ReleaseValue(out);
    return (double)(clv_now_ns() - start) / 1e3;
}

static double run_inside(trial *t)
{
    inside *n = &t->inside;
    const clv_tensor *in = &t->inputs.items[0];
    int64_t start = clv_now_ns();
    clv_request *r = clv_request_new(t->network);
    clv_tensors_add(&r->inputs,
                    clv_tensor_view(in->name, in->dtype, in->shape, in->data, in->bytes));
    r->carrier = n;
    r->done = on_done;
    n->ended = false;
    clv_server_submit(n->node.server, r);
    pthread_mutex_lock(&n->lock);
    while (!n->ended) pthread_cond_wait(&n->wake, &n->lock);
    pthread_mutex_unlock(&n->lock);
    bench_check(r->error.status, &r->error);
    clv_request_free(r);
    return (double)(clv_now_ns() - start) / 1e3;
}

static double ask(const trial *t, clv_remote *node)
{
    clv_error err = {0};
    clv_outcome out = {0};
    int64_t start = clv_now_ns();
    clv_remote_question q = {.model = t->network, .inputs = &t->inputs};
    bench_check(clv_remote_infer(node, &q, &out, &err), &err);
    clv_outcome_done(&out);
    return (double)(clv_now_ns() - start) / 1e3;
}

static double run_grpc(trial *t)
{
    return ask(t, t->outside.tcp);
}

static double run_unix(trial *t)
{
    return ask(t, t->outside.local);
}

/* A turn of one way; its median. */
static double turn(trial *t, way *w, double (*run)(trial *))
{
    double us[TURN];
    for (int i = 0; i < TURN; i++) us[i] = run(t);
    for (int i = WARM; i < TURN; i++) w->us[w->n++] = us[i];
    return clv_median(us + WARM, TURN - WARM);
}

static void report(const trial *t, way *base, way *w, size_t turns)
{
    double bare_us = clv_median(base->us, base->n), us = clv_median(w->us, w->n),
           extra_us = clv_median(w->extra_us, turns);
    bench_row(json_pack("{s:s, s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I}", "network",
                        t->network, "way", w->name, "threads", t->threads, "bare_us", bare_us,
                        "node_us", us, "overhead_us", extra_us, "overhead", extra_us / bare_us,
                        "bare_us_p10", clv_quantile(base->us, base->n, 0.1), "bare_us_p95",
                        clv_quantile(base->us, base->n, 0.95), "node_us_p10",
                        clv_quantile(w->us, w->n, 0.1), "node_us_p95",
                        clv_quantile(w->us, w->n, 0.95), "runs", (json_int_t)w->n));
}

static void measure(trial *t, double seconds)
{
    double (*const runs[])(trial *) = {run_bare, run_inside, run_grpc, run_unix};
    way ways[] = {{.name = "bare"}, {.name = "inside"}, {.name = "grpc"}, {.name = "unix"}};
    for (size_t k = 0; k < CLV_COUNT(ways); k++) {
        ways[k].us = clv_alloc_array(TURNS_MAX * TURN, sizeof(double));
        ways[k].extra_us = clv_alloc_array(TURNS_MAX, sizeof(double));
    }
    int64_t until = clv_now_us() + (int64_t)(seconds * 1e6);
    size_t n = 0;
    for (; n < TURNS_MAX && (n < TURNS_MIN || clv_now_us() < until); n++) {
        double median[CLV_COUNT(ways)];
        for (size_t k = 0; k < CLV_COUNT(ways); k++) median[k] = turn(t, &ways[k], runs[k]);
        for (size_t k = 0; k < CLV_COUNT(ways); k++) ways[k].extra_us[n] = median[k] - median[0];
    }
    for (size_t k = 1; k < CLV_COUNT(ways); k++) report(t, &ways[0], &ways[k], n);
    for (size_t k = 0; k < CLV_COUNT(ways); k++) {
        free(ways[k].us);
        free(ways[k].extra_us);
    }
}

/* A repository with this network alone. */
static char *lone_repository(const char *models, const char *network)
{
    clv_error err = {0};
    char *dir;
    bench_check(clv_dir_temp("bench", &dir, &err), &err);
    CLV_AUTO(clv_text_free) char *whole = realpath(models, NULL);
    CLV_AUTO(clv_text_free) char *from = clv_format("%s/%s", whole ? whole : models, network);
    CLV_AUTO(clv_text_free) char *to = clv_path_join(dir, network);
    bench_need(symlink(from, to) == 0, "cannot link the network into a repository of its own");
    return dir;
}

static void bench_network(const char *cleave, const char *models, double seconds, int threads,
                          const char *network)
{
    CLV_AUTO(clv_text_free) char *dir = lone_repository(models, network);
    CLV_AUTO(clv_text_free) char *socket = clv_path_join(dir, "socket");
    trial t = {.network = network, .threads = threads, .cpu = threads == 1 ? 0 : -1};
    bench_pin(t.cpu); /* with what is started from here */
    inside_open(&t.inside, dir, threads, t.cpu);
    outside_open(&t.outside, cleave, dir, socket, threads, t.cpu);
    clv_error err = {0};
    clv_model_info info;
    bench_check(clv_server_model(t.inside.node.server, network, NULL, &info, &err), &err);
    size_t n_in, n_out;
    const clv_tensor_spec *in = clv_network_inputs(info.network, &n_in),
                          *out = clv_network_outputs(info.network, &n_out);
    bench_need(n_in == 1 && n_out == 1, "a network with one input and one output is needed");
    clv_rng rng = clv_rng_seeded(1);
    bench_check(clv_tensors_random(in, 1, 1, &rng, &t.inputs, &err), &err);
    t.input_name = in[0].name;
    t.output_name = out[0].name;
    t.bare = bare_open(clv_network_path(info.network), threads, &t.inputs.items[0]);
    measure(&t, seconds);
    bare_close(&t.bare);
    clv_model_info_done(&info);
    outside_close(&t.outside);
    inside_close(&t.inside);
    clv_tensors_done(&t.inputs);
    clv_dir_remove(dir);
}

int main(int argc, char **argv)
{
    bench_need(argc > 5, "usage: local_bench CLEAVE MODELS SECONDS THREADS NETWORK...");
    signal(SIGPIPE, SIG_IGN);
    clv_log_set_level(CLV_LOG_ERROR);
    for (int i = 5; i < argc; i++)
        bench_network(argv[1], argv[2], strtod(argv[3], NULL), (int)strtol(argv[4], NULL, 10),
                      argv[i]);
    return 0;
}
