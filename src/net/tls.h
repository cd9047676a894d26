/* TLS by OpenSSL: contexts from options, sessions on a socket, errors in one line.
 *
 * TLS 1.2 and 1.3, ALPN "h2" (a server also takes "http/1.1"). A client verifies the chain and that
 * the certificate is for the host in the URL (name or address); a server with `ca` demands a
 * certificate from its clients. Contexts are made once, sessions take a reference.
 */
#ifndef CLV_NET_TLS_H
#define CLV_NET_TLS_H

#include "net/http.h"

#include <openssl/ssl.h>
#include <stdbool.h>

/* `o` may be NULL for a client. Errors name the file: missing, not PEM, key of another certificate.
 */
CLV_MUST
clv_status clv_tls_context(const clv_tls_options *o, bool server, SSL_CTX **out, clv_error *err);
void clv_tls_context_free(SSL_CTX *context); /* NULL is fine */

/* A session on a connected socket, which stays the caller's. `host`: for a client, whom to expect;
 * NULL makes a server's. */
CLV_MUST
clv_status clv_tls_session(SSL_CTX *context, int fd, const char *host, SSL **out, clv_error *err);
/* Why SSL_do_handshake, SSL_read or SSL_write returned `ret`. Always returns CLV_EUNAVAIL. */
clv_status clv_tls_fail(SSL *ssl, int ret, clv_error *err);
/* After a failed handshake: did the peer speak plain text? */
bool clv_tls_peer_is_plain(const clv_error *err);
bool clv_tls_is_http2(const SSL *ssl); /* by ALPN */

#endif
