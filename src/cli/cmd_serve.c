/* cleave serve: a node. */
#include "api/api.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/config.h"
#include "cli/node.h"
#include "net/server.h"

#include <signal.h>
#include <stdlib.h>

typedef struct serve_options {
    const char *config, *host, *socket, *tls_cert, *tls_key, *tls_ca, *token_file;
    int64_t port, body_max, drain_us;
    int log_level;
} serve_options;

static const clv_opt serve_opts[] = {
    CLV_OPT(serve_options, config, TEXT, "config", NULL, .letter = 'c', .arg = "FILE",
            .help = "YAML file of options, each named as its flag; flags win"),
    CLV_OPT(serve_options, host, TEXT, "host", "127.0.0.1", .arg = "ADDRESS",
            .help = "address to listen on"),
    CLV_OPT(serve_options, port, INT, "port", "8000", .letter = 'p', .max = 65535,
            .help = "port for REST and gRPC, 0: any free one"),
    CLV_OPT(serve_options, socket, TEXT, "socket", NULL, .arg = "PATH",
            .help = "the same on a Unix-domain socket too, without TLS: for its owner and group on "
                    "this machine, at unix:PATH"),
    CLV_OPT(serve_options, tls_cert, TEXT, "tls-cert", NULL, .arg = "FILE",
            .help = "certificate chain (PEM): serve over TLS"),
    CLV_OPT(serve_options, tls_key, TEXT, "tls-key", NULL, .arg = "FILE", .help = "its key (PEM)"),
    CLV_OPT(serve_options, tls_ca, TEXT, "tls-ca", NULL, .arg = "FILE",
            .help = "ask clients for a certificate of these issuers"),
    CLV_OPT(serve_options, token_file, TEXT, "token-file", NULL, .arg = "FILE",
            .help = "ask for this bearer token (first line of the file); health needs none"),
    CLV_OPT(serve_options, body_max, SIZE, "body-max", "256MiB", .min = 1024, .max = 2147483647,
            .help = "largest request"),
    CLV_OPT(serve_options, drain_us, DURATION, "drain", "10s", .max = 3600e6,
            .help = "at most this long for running requests at the end"),
    CLV_OPT(serve_options, log_level, CHOICE, "log", "info", .choices = "debug|info|warn|error",
            .help = "least level to log"),
};

/* Of the node's options the one that only a node with a port has a use for. */
static const clv_opt push_opts[] = {
    CLV_OPT(clv_node_options, accept_push, FLAG, "accept-push", NULL,
            .help = "let peers store models here"),
};

static const clv_cli_about about = {
    .usage = "cleave serve [-m DIR] [--peer URL] [options]",
    .text = "Run a node: the Open Inference Protocol over REST and gRPC on one port. With --peer "
            "it offers the same and "
            "shares the work with that node: for each model it finds the best cut for the link as "
            "it is now, and finishes "
            "alone what the peer does not answer.",
    .examples =
        "cleave serve -m models --host 0.0.0.0 --accept-push     a cloud node\n"
        "cleave serve -m models --peer http://10.0.0.2:8000      an edge node\n"
        "cleave serve -m models --peer http://gateway:8000 --peer http://cloud:8000\n"
        "                                                        a gateway with a peer of its "
        "own is planned for as well\n"
        "curl localhost:8000/v2/models/alexnet                   what it serves\n"
        "cleave serve -m models --socket /run/cleave.sock        quicker for programs of this "
        "machine\n"
        "curl --unix-socket /run/cleave.sock localhost/v2/models/alexnet\n",
};

typedef struct serving {
    clv_node node;
    clv_http_server *http;
    clv_timer *deadline;
    int64_t drain_us;
    bool draining;
} serving;

static void on_drained(void *arg)
{
    serving *s = arg;
    clv_loop_stop(s->node.loop);
}

static void on_signal(void *arg)
{
    serving *s = arg;
    if (s->draining) { /* asked twice */
        clv_loop_stop(s->node.loop);
        return;
    }
    s->draining = true;
    clv_log(CLV_LOG_INFO, "serve", "draining", "limit_ms=%lld", (long long)s->drain_us / 1000);
    clv_server_drain(s->node.server);
    clv_timer_start(s->deadline, s->drain_us, 0);
    clv_http_server_drain(s->http, on_drained, s);
}

/* "URL" or "URL,URL"; NULL: none. Heap text. */
static char *all_peers(const clv_node_options *o)
{
    char *all = NULL;
    for (size_t i = 0; i < o->peers.n; i++) {
        char *more = clv_format("%s%s%s", all ? all : "", all ? "," : "", o->peers.items[i]);
        free(all);
        all = more;
    }
    return all;
}

static clv_status run(const serve_options *o, const clv_node_options *node,
                      const clv_device_options *device, clv_error *err)
{
    serving s = {.drain_us = o->drain_us};
    CLV_AUTO(clv_text_free) char *token = NULL;
    if (o->token_file && clv_token_read(o->token_file, &token, err)) return err->status;
    if (!o->tls_cert != !o->tls_key)
        return clv_fail(err, CLV_EUSAGE, "--tls-cert and --tls-key: both or none are right");
    if (o->tls_ca && !o->tls_cert)
        return clv_fail(
            err, CLV_EUSAGE,
            "--tls-ca asks for certificates over TLS: --tls-cert and --tls-key are missing");
    if (clv_node_start(node, device, &s.node, err)) return err->status;
    clv_tls_options tls = {.cert = o->tls_cert, .key = o->tls_key, .ca = o->tls_ca};
    clv_http_server_options http = {.host = o->host,
                                    .port = (int)o->port,
                                    .socket = o->socket,
                                    .tls = o->tls_cert ? &tls : NULL,
                                    .token = token,
                                    .open_paths = clv_api_open_paths,
                                    .body_max = (size_t)o->body_max};
    clv_status status =
        clv_http_server_new(s.node.loop, &http, &clv_api_handler, s.node.server, &s.http, err);
    CLV_AUTO(clv_text_free) char *peers = all_peers(node);
    if (!status) {
        s.deadline = clv_timer_new(s.node.loop, on_drained, &s);
        clv_loop_on_signal(s.node.loop, SIGINT, on_signal, &s);
        clv_loop_on_signal(s.node.loop, SIGTERM, on_signal, &s);
        clv_log(CLV_LOG_INFO, "serve", "listening",
                "url=%s://%s:%d socket=%s%s models=%s device=\"%s\" peer=%s",
                o->tls_cert ? "https" : "http", o->host, clv_http_server_port(s.http),
                o->socket ? "unix:" : "none", o->socket ? o->socket : "", node->models,
                s.node.engine->description, peers ? peers : "none");
        clv_loop_run(s.node.loop);
        clv_timer_free(s.deadline);
        clv_http_server_free(s.http);
    }
    clv_node_stop(&s.node);
    return status;
}

clv_status clv_cmd_serve(clv_args *args, clv_error *err)
{
    serve_options o = {0};
    clv_node_options node = {0};
    clv_device_options device = {0};
    const clv_opt_set sets[] = {{serve_opts, CLV_COUNT(serve_opts), &o},
                                {clv_node_opts, clv_node_opts_n, &node},
                                {push_opts, CLV_COUNT(push_opts), &node},
                                CLV_OFFER_OPTS(&node.offer),
                                {clv_device_opts, clv_device_opts_n, &device}};
    bool help;
    clv_config config = {0};
    clv_status status =
        clv_config_begin(&config, &about, sets, CLV_COUNT(sets), &o.config, args, &help, err);
    if (!status && !help) {
        clv_log_set_level((clv_log_level)o.log_level);
        signal(SIGPIPE, SIG_IGN);
        status = run(&o, &node, &device, err);
    }
    clv_config_done(&config);
    return status;
}
