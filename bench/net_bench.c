/* What the network room costs over a bare socket: a request of 602,112 bytes and a reply of 4 KiB
 * between two threads.
 *
 *     net_bench [ROUNDS]
 *
 * TCP over loopback, plain and TLS, and a Unix-domain socket, each against a loop over the same kind
 * of socket with nothing but the bytes, whose number both know. The two sides of a ratio are
 * interleaved, medians are compared.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "net/client.h"
#include "net/grpc.h"
#include "net/server.h"
#include "net/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES = 602112, REPLY_BYTES = 4096, WARM_ROUNDS = 50, ROUNDS = 400 };

static unsigned char request_bytes[REQUEST_BYTES], reply_bytes[REPLY_BYTES];

static void die(const char *text)
{
    fprintf(stderr, "net_bench: %s\n", text);
    exit(1);
}

/* --- a bare socket: read the request, write the reply --- */

typedef struct bare {
    int fd;
    SSL *ssl;
    unsigned char *buffer;
} bare;

static bool move_all(bare *b, unsigned char *at, size_t n, bool writing)
{
    while (n) {
        ssize_t done;
        if (b->ssl) {
            done = writing ? SSL_write(b->ssl, at, (int)n) : SSL_read(b->ssl, at, (int)n);
        } else {
            done = writing ? send(b->fd, at, n, MSG_NOSIGNAL) : recv(b->fd, at, n, 0);
        }
        if (done <= 0) return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static void *bare_serve(void *arg)
{
    bare *b = arg;
    if (b->ssl && SSL_accept(b->ssl) != 1) {
        clv_error err = {0};
        clv_tls_fail(b->ssl, -1, &err);
        die(err.text);
    }
    while (move_all(b, b->buffer, REQUEST_BYTES, false) &&
           move_all(b, reply_bytes, REPLY_BYTES, true)) {
        continue;
    }
    return NULL;
}

static void socket_pair(int fds[2], bool local)
{
    if (local) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds)) die("socketpair");
        return;
    }
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&a, n) || listen(listener, 1)) die("listen");
    getsockname(listener, (struct sockaddr *)&a, &n);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fds[0], (struct sockaddr *)&a, n)) die("connect");
    fds[1] = accept(listener, NULL, NULL);
    for (int i = 0; i < 2; i++) setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close(listener);
}

/* --- cleave --- */

static void answer(void *ctx, clv_exchange *x)
{
    (void)ctx;
    clv_slice slice = {reply_bytes, REPLY_BYTES, NULL, NULL};
    clv_grpc_respond(x, &slice, 1);
}

static void *serve(void *loop)
{
    clv_loop_run(loop);
    return NULL;
}

static void on_reply(void *arg, const clv_reply *reply, const clv_error *error, clv_body *owner,
                     const void *message, size_t bytes)
{
    (void)reply, (void)owner, (void)message;
    if (error) die(error->text);
    if (bytes != REPLY_BYTES) die("short reply");
    clv_loop_stop(arg);
}

static void exchange(clv_loop *loop, clv_client *client)
{
    clv_slice slice = {request_bytes, REQUEST_BYTES, NULL, NULL};
    clv_grpc_client_call(client, &(clv_grpc_call){.method = "/bench/Echo",
                                                  .message = &slice,
                                                  .n_message = 1,
                                                  .done = on_reply,
                                                  .arg = loop});
    clv_loop_run(loop);
}

static void make_cert(char *cert_path, char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_version(cert, 2);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"127.0.0.1", -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    if (!X509_sign(cert, key, EVP_sha256())) die("sign");
    FILE *c = fdopen(mkstemp(cert_path), "w"), *k = fdopen(mkstemp(key_path), "w");
    PEM_write_X509(c, cert);
    PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);
    fclose(c);
    fclose(k);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* `path`: of a Unix-domain socket to use; NULL: TCP. */
static void compare(const char *what, const clv_tls_options *tls, const char *ca, const char *path,
                    int rounds)
{
    static const clv_http_handler handler = {.request = answer};
    clv_error err = {0};
    int fds[2];
    socket_pair(fds, path);
    bare far = {.fd = fds[1], .buffer = clv_alloc(REQUEST_BYTES)}, near = {.fd = fds[0]};
    SSL_CTX *server_tls = NULL, *client_tls = NULL;
    if (tls) {
        if (clv_tls_context(tls, true, &server_tls, &err) ||
            clv_tls_session(server_tls, fds[1], NULL, &far.ssl, &err) ||
            clv_tls_context(&(clv_tls_options){.ca = ca}, false, &client_tls, &err) ||
            clv_tls_session(client_tls, fds[0], "127.0.0.1", &near.ssl, &err)) {
            die(err.text);
        }
    }
    pthread_t bare_thread, server_thread;
    pthread_create(&bare_thread, NULL, bare_serve, &far);
    if (tls && SSL_connect(near.ssl) != 1) die("handshake");

    clv_loop *server_loop = clv_loop_new(), *loop = clv_loop_new();
    clv_http_server *server;
    clv_client *client;
    clv_http_server_options so = {.host = "127.0.0.1", .socket = path, .tls = tls};
    if (clv_http_server_new(server_loop, &so, &handler, NULL, &server, &err)) die(err.text);
    pthread_create(&server_thread, NULL, serve, server_loop);
    char url[64];
    if (path)
        snprintf(url, sizeof url, "unix:%s", path);
    else
        snprintf(url, sizeof url, "%s://127.0.0.1:%d", tls ? "https" : "http",
                 clv_http_server_port(server));
    clv_tls_options trust = {.ca = ca};
    if (clv_client_new(loop, &(clv_client_options){.url = url, .tls = &trust}, &client, &err)) {
        die(err.text);
    }

    double *bare_us = clv_alloc_array((size_t)rounds, sizeof *bare_us);
    double *ours_us = clv_alloc_array((size_t)rounds, sizeof *ours_us);
    for (int i = -WARM_ROUNDS; i < rounds; i++) {
        int64_t t0 = clv_now_ns();
        if (!move_all(&near, request_bytes, REQUEST_BYTES, true) ||
            !move_all(&near, reply_bytes, REPLY_BYTES, false)) {
            die("bare exchange");
        }
        int64_t t1 = clv_now_ns();
        exchange(loop, client);
        int64_t t2 = clv_now_ns();
        if (i < 0) continue;
        bare_us[i] = (double)(t1 - t0) / 1e3;
        ours_us[i] = (double)(t2 - t1) / 1e3;
    }
    double bare_p50 = clv_median(bare_us, (size_t)rounds);
    double ours_p50 = clv_median(ours_us, (size_t)rounds);
    printf("{\"bench\": \"net\", \"what\": \"%s\", \"rounds\": %d, \"bare_us_p50\": %.0f, "
           "\"cleave_us_p50\": %.0f, \"bare_us_min\": %.0f, \"cleave_us_min\": %.0f, "
           "\"ratio\": %.2f}\n",
           what, rounds, bare_p50, ours_p50, bare_us[0], ours_us[0], ours_p50 / bare_p50);

    clv_client_free(client);
    clv_loop_free(loop);
    clv_loop_stop(server_loop);
    pthread_join(server_thread, NULL);
    clv_http_server_free(server);
    clv_loop_free(server_loop);
    shutdown(fds[0], SHUT_RDWR);
    pthread_join(bare_thread, NULL);
    SSL_free(near.ssl);
    SSL_free(far.ssl);
    clv_tls_context_free(server_tls);
    clv_tls_context_free(client_tls);
    close(fds[0]);
    close(fds[1]);
    free(far.buffer);
    free(bare_us);
    free(ours_us);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS;
    char cert[] = "/tmp/clv-bench-cert-XXXXXX", key[] = "/tmp/clv-bench-key-XXXXXX";
    char path[64];
    if (rounds < 1) die("ROUNDS must be at least 1");
    make_cert(cert, key);
    compare("plain 602112 B", NULL, NULL, NULL, rounds);
    compare("TLS 602112 B", &(clv_tls_options){.cert = cert, .key = key}, cert, NULL, rounds);
    snprintf(path, sizeof path, "/tmp/clv-bench-%d.sock", (int)getpid());
    compare("unix 602112 B", NULL, NULL, path, rounds);
    unlink(cert);
    unlink(key);
    return 0;
}
