#include "cli/node.h"

#include "base/file.h"
#include "base/mem.h"
#include "plan/policies.h"

#include <stdlib.h>
#include <string.h>

enum { CLV_TOKEN_FILE_MAX = 4096 };

const clv_opt clv_node_opts[] = {
    CLV_OPT(clv_node_options, models, TEXT, "models", "models", .letter = 'm', .arg = "DIR",
            .help = "model repository: NAME/VERSION/model.onnx"),
    CLV_OPT(clv_node_options, peers, TEXTS, "peer", NULL, .arg = "URL",
            .help = "node to share the work with, e.g. http://10.0.0.2:8000 or unix:path; given "
                    "again: a node behind it, to go to while it is lost"),
    CLV_OPT(clv_node_options, peer_ca, TEXT, "peer-ca", NULL, .arg = "FILE",
            .help = "issuers accepted for an https peer (PEM)"),
    CLV_OPT(clv_node_options, peer_cert, TEXT, "peer-cert", NULL, .arg = "FILE",
            .help = "our certificate for the peer (PEM)"),
    CLV_OPT(clv_node_options, peer_key, TEXT, "peer-key", NULL, .arg = "FILE",
            .help = "its key (PEM)"),
    CLV_OPT(clv_node_options, peer_token_file, TEXT, "peer-token-file", NULL, .arg = "FILE",
            .help = "bearer token for the peer, first line of the file"),
    CLV_OPT(clv_node_options, policy, CHOICE, "policy", "exact", .choices = CLV_POLICY_CHOICES,
            .help = "how to choose the cut"),
    CLV_OPT(clv_node_options, private, TEXT, "private", "none", .arg = "POLICY",
            .help = "what never leaves for the peer: input, class:map, first:N, tensor:NAME, ..."),
    CLV_OPT(clv_node_options, power, TEXT, "power", NULL, .arg = "SPEC",
            .help = "what this device takes: idle=2W,active=7W,price=0.5/h"),
    CLV_OPT(clv_node_options, radio, TEXT, "radio", NULL, .arg = "SPEC",
            .help =
                "what the link to the peer takes: wifi, lte, 3g or tx=1.2W,rx=0.9W,price=0.09/GB"),
    CLV_OPT(clv_node_options, watch_us, DURATION, "watch", "1s", .min = 10000, .max = 3600e6,
            .help = "look at the plan at least this often"),
    CLV_OPT(clv_node_options, patience_us, DURATION, "patience", "1s", .min = 1000, .max = 600e6,
            .help = "wait for the peer, beyond the prediction, before finishing here"),
    CLV_OPT(clv_node_options, queue_max, INT, "queue", "1024", .min = 1, .max = 1000000,
            .help = "requests that may wait"),
    CLV_OPT(clv_node_options, batch_max, INT, "batch-max", "8", .min = 1,
            .max = CLV_LANE_TOGETHER_MAX,
            .help = "run at most so many waiting requests for one segment as one, where that is "
                    "faster; 1: each alone"),
    CLV_OPT(clv_node_options, cpu, INT, "pin", "-1", .min = -1, .max = 4095,
            .help = "processor to compute on, -1: any"),
};
const size_t clv_node_opts_n = CLV_COUNT(clv_node_opts);

clv_status clv_token_read(const char *path, char **out, clv_error *err)
{
    if (!path) {
        const char *text = getenv("CLEAVE_TOKEN");
        *out = text && *text ? clv_strdup(text) : NULL;
        return CLV_OK;
    }
    CLV_AUTO(clv_buf_done) clv_buf file = {0};
    clv_status status = clv_file_read(path, CLV_TOKEN_FILE_MAX, &file, err);
    if (status) return clv_within(err, "token file");
    size_t n = file.len ? strcspn(file.data, "\r\n") : 0;
    while (n > 0 && (file.data[n - 1] == ' ' || file.data[n - 1] == '\t')) n--;
    bool sound = n > 0;
    for (size_t i = 0; i < n; i++) sound = sound && file.data[i] > ' ' && file.data[i] < 127;
    if (sound)
        *out = clv_strndup(file.data, n);
    else
        status = clv_fail(err, CLV_EINVAL,
                          "token file '%s': its first line is not one word; it should be the token",
                          path);
    if (file.data) explicit_bzero(file.data, file.len);
    return status;
}

static const char *const *more_peers(const clv_node_options *o)
{
    return o->peers.n > 1 ? (const char *const *)o->peers.items + 1 : NULL;
}

const char *clv_node_peer(const clv_node_options *o)
{
    return o->peers.n ? o->peers.items[0] : NULL;
}

/* What is said of a peer must have one to be about: a guard that guards nothing is a trap. */
static clv_status check_peer(const clv_node_options *o, clv_error *err)
{
    const struct {
        const char *flag, *value;
        bool tls;
    } about_peer[] = {{"--peer-token-file", o->peer_token_file, false},
                      {"--peer-ca", o->peer_ca, true},
                      {"--peer-cert", o->peer_cert, true},
                      {"--peer-key", o->peer_key, true},
                      {"--radio", o->radio, false}};
    for (size_t i = 0; i < CLV_COUNT(about_peer); i++) {
        if (!about_peer[i].value) continue;
        if (o->peers.n == 0)
            return clv_fail(err, CLV_EUSAGE, "%s is given, --peer is missing", about_peer[i].flag);
        for (size_t k = 0; k < o->peers.n && about_peer[i].tls; k++)
            if (strncmp(o->peers.items[k], "https:", 6) != 0)
                return clv_fail(err, CLV_EUSAGE, "%s needs an address with TLS, --peer is '%s'",
                                about_peer[i].flag, o->peers.items[k]);
    }
    return CLV_OK;
}

/* The texts of what stays and what is taken, as values. */
static clv_status take_texts(const clv_node_options *o, int threads, clv_server_options *out,
                             clv_error *err)
{
    clv_error why = {0};
    if (o->private && clv_privacy_parse(o->private, &out->privacy, &why))
        return clv_fail(err, CLV_EUSAGE, "--private: %s", why.text);
    if (o->power && clv_power_parse(o->power, threads, &out->power, &out->price_per_s, &why))
        return clv_fail(err, CLV_EUSAGE, "--power: %s", why.text);
    if (o->radio && clv_radio_parse(o->radio, &out->radio, &why))
        return clv_fail(err, CLV_EUSAGE, "--radio: %s", why.text);
    clv_status status = clv_offer_read(&o->offer, &out->offer, err);
    return status ? status : clv_offer_check(&out->offer, (clv_policy)o->policy, err);
}

clv_status clv_node_start(const clv_node_options *o, const clv_device_options *device,
                          clv_node *out, clv_error *err)
{
    if (check_peer(o, err)) return err->status;
    *out = (clv_node){.loop = clv_loop_new()};
    clv_status status = o->peers.n ? clv_token_read(o->peer_token_file, &out->token, err) : CLV_OK;
    if (!status) status = clv_device_engine(device, &out->engine, err);
    if (!status) {
        clv_tls_options tls = {.ca = o->peer_ca, .cert = o->peer_cert, .key = o->peer_key};
        clv_server_options options = {.models = o->models,
                                      .peer = clv_node_peer(o),
                                      .detours = more_peers(o),
                                      .n_detours = o->peers.n > 1 ? o->peers.n - 1 : 0,
                                      .peer_tls = &tls,
                                      .peer_token = out->token,
                                      .accept_push = o->accept_push,
                                      .policy = clv_policy_name((clv_policy)o->policy),
                                      .watch_every_us = o->watch_us,
                                      .batch_max = o->batch_max,
                                      .keep_segments = o->keep_segments,
                                      .threads = clv_device_threads(device),
                                      .slowdown = device->slowdown,
                                      .patience_us = o->patience_us};
        out->lane = clv_lane_new("compute", (size_t)o->queue_max, (int)o->cpu);
        status = take_texts(o, options.threads, &options, err);
        out->rates = (clv_energy_rates){
            .edge = options.power, .edge_price_per_s = options.price_per_s, .radio = options.radio};
        if (!status)
            status = clv_server_new(&options, out->loop, out->engine, out->lane, &out->server, err);
    }
    if (status) clv_node_stop(out);
    return status;
}

void clv_node_stop(clv_node *n)
{
    clv_server_free(n->server);
    clv_lane_free(n->lane);
    clv_engine_free(n->engine);
    clv_loop_free(n->loop);
    free(n->token);
    *n = (clv_node){0};
}
