#include "net/tls.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

static const char plain_peer[] = "peer does not speak TLS";
enum { READ_AHEAD_BYTES = 128 * 1024 };

static clv_status fail_openssl(clv_error *err, clv_status status, const char *what,
                               const char *file)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    if (ERR_GET_LIB(code) == ERR_LIB_SYS) reason = strerrordesc_np(ERR_GET_REASON(code));
    ERR_clear_error();
    return clv_fail(err, status, "%s '%s': %s", what, file, reason ? reason : "not usable");
}

/* The system library's error is the last but one when a file is missing. */
static clv_status check_file(const char *what, const char *file, clv_error *err)
{
    BIO *bio = BIO_new_file(file, "r");
    if (!bio) {
        int e = errno;
        ERR_clear_error();
        errno = e;
        return clv_fail_errno(err, "%s '%s'", what, file);
    }
    BIO_free(bio);
    return CLV_OK;
}

static clv_status load_own(SSL_CTX *ctx, const clv_tls_options *o, clv_error *err)
{
    clv_status status = check_file("TLS certificate", o->cert, err);
    if (status) return status;
    if (SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1) {
        return fail_openssl(err, CLV_EINVAL, "TLS certificate", o->cert);
    }
    status = check_file("TLS key", o->key, err);
    if (status) return status;
    if (SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) == 1) return CLV_OK;
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
        ERR_clear_error();
        return clv_fail(err, CLV_EINVAL, "TLS key '%s' does not belong to certificate '%s'", o->key,
                        o->cert);
    }
    return fail_openssl(err, CLV_EINVAL, "TLS key", o->key);
}

static clv_status load_issuers(SSL_CTX *ctx, const clv_tls_options *o, bool server, clv_error *err)
{
    if (o && o->ca) {
        clv_status status = check_file("TLS issuers", o->ca, err);
        if (status) return status;
        if (SSL_CTX_load_verify_locations(ctx, o->ca, NULL) != 1) {
            return fail_openssl(err, CLV_EINVAL, "TLS issuers", o->ca);
        }
        if (server) SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(o->ca));
    } else if (!server && SSL_CTX_set_default_verify_paths(ctx) != 1) {
        return fail_openssl(err, CLV_EINVAL, "TLS issuers", "system");
    }
    return CLV_OK;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                           const unsigned char *in, unsigned in_n, void *arg)
{
    (void)ssl, (void)arg;
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, in, in_n) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static clv_status configure(SSL_CTX *ctx, const clv_tls_options *o, bool server, clv_error *err)
{
    if (server && (!o || !o->cert || !o->key)) {
        return clv_fail(err, CLV_EINVAL, "TLS needs both a certificate and a key");
    }
    if (o && (!o->cert != !o->key)) {
        return clv_fail(err, CLV_EINVAL, "TLS %s '%s' given without its %s",
                        o->cert ? "certificate" : "key", o->cert ? o->cert : o->key,
                        o->cert ? "key" : "certificate");
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD_BYTES);
    clv_status status = o && o->cert ? load_own(ctx, o, err) : CLV_OK;
    if (!status) status = load_issuers(ctx, o, server, err);
    if (status) return status;
    if (server) {
        SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
        if (o->ca) {
            SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        }
    } else {
        static const unsigned char h2[] = "\x02h2";
        SSL_CTX_set_alpn_protos(ctx, h2, sizeof h2 - 1);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    }
    return CLV_OK;
}

clv_status clv_tls_context(const clv_tls_options *o, bool server, SSL_CTX **out, clv_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (!ctx) return fail_openssl(err, CLV_EINTERNAL, "TLS", "context");
    clv_status status = configure(ctx, o, server, err);
    if (status) {
        SSL_CTX_free(ctx);
        return status;
    }
    *out = ctx;
    return CLV_OK;
}

void clv_tls_context_free(SSL_CTX *context)
{
    SSL_CTX_free(context);
}

static bool expect_host(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    CLV_AUTO(clv_text_free) char *name = clv_strdup(host); /* OpenSSL's macro wants it writable */
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

clv_status clv_tls_session(SSL_CTX *context, int fd, const char *host, SSL **out, clv_error *err)
{
    SSL *ssl = SSL_new(context);
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || (host && !expect_host(ssl, host))) {
        SSL_free(ssl);
        return fail_openssl(err, CLV_EINTERNAL, "TLS session for", host ? host : "peer");
    }
    if (host) {
        SSL_set_connect_state(ssl);
    } else {
        SSL_set_accept_state(ssl);
    }
    *out = ssl;
    return CLV_OK;
}

clv_status clv_tls_fail(SSL *ssl, int ret, clv_error *err)
{
    int saved_errno = errno;
    int what = SSL_get_error(ssl, ret);
    unsigned long code = ERR_peek_error();
    ERR_clear_error();
    if (what == SSL_ERROR_ZERO_RETURN) {
        return clv_fail(err, CLV_EUNAVAIL, "peer closed the connection");
    }
    if (code == 0) {
        return clv_fail(err, CLV_EUNAVAIL, "%s",
                        what == SSL_ERROR_SYSCALL && saved_errno ? strerrordesc_np(saved_errno)
                                                                 : "peer closed the connection");
    }
    int reason = ERR_GET_REASON(code);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return clv_fail(err, CLV_EUNAVAIL, "certificate not accepted: %s",
                        X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
    }
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
        reason == SSL_R_PACKET_LENGTH_TOO_LONG) {
        return clv_fail(err, CLV_EUNAVAIL, "%s", plain_peer);
    }
    const char *text = ERR_reason_error_string(code);
    return clv_fail(err, CLV_EUNAVAIL, "TLS: %s", text ? text : "failed");
}

bool clv_tls_peer_is_plain(const clv_error *err)
{
    return !strcmp(err->text, plain_peer);
}

bool clv_tls_is_http2(const SSL *ssl)
{
    const unsigned char *name;
    unsigned n;
    SSL_get0_alpn_selected(ssl, &name, &n);
    return n == 2 && !memcmp(name, "h2", 2);
}
