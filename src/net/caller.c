#include "net/caller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NET6_BYTES = 8, NAME_BYTES = 16 };

void clv_caller_address(clv_caller *c, const struct sockaddr *address)
{
    char ip[INET6_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 a;
        memcpy(&a, address, sizeof a);
        inet_ntop(AF_INET6, &a.sin6_addr, ip, sizeof ip);
        snprintf(c->text, sizeof c->text, "[%s]:%d", ip, ntohs(a.sin6_port));
        if (IN6_IS_ADDR_V4MAPPED(&a.sin6_addr)) {
            inet_ntop(AF_INET, &a.sin6_addr.s6_addr[12], ip, sizeof ip);
            snprintf(c->who, sizeof c->who, "%s", ip);
            return;
        }
        memset(&a.sin6_addr.s6_addr[NET6_BYTES], 0, sizeof a.sin6_addr - NET6_BYTES);
        inet_ntop(AF_INET6, &a.sin6_addr, ip, sizeof ip);
        snprintf(c->who, sizeof c->who, "%s/64", ip);
    } else if (address->sa_family == AF_UNIX) {
        snprintf(c->text, sizeof c->text, "unix");
        snprintf(c->who, sizeof c->who, "unix");
    } else {
        struct sockaddr_in a;
        memcpy(&a, address, sizeof a);
        inet_ntop(AF_INET, &a.sin_addr, ip, sizeof ip);
        snprintf(c->text, sizeof c->text, "%s:%d", ip, ntohs(a.sin_port));
        snprintf(c->who, sizeof c->who, "%s", ip);
    }
}

void clv_caller_process(clv_caller *c, int fd)
{
    struct ucred who;
    socklen_t n = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n)) return;
    snprintf(c->text, sizeof c->text, "unix:uid=%u,pid=%d", who.uid, who.pid);
    snprintf(c->who, sizeof c->who, "uid:%u", who.uid);
}

/* The first bytes of a digest as hex. */
static void show(char *text, const unsigned char *digest)
{
    for (int i = 0; i < NAME_BYTES; i++) snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
}

void clv_caller_certificate(clv_caller *c, const SSL *ssl)
{
    unsigned char issuer[EVP_MAX_MD_SIZE], subject[EVP_MAX_MD_SIZE];
    char of[2 * NAME_BYTES + 1], by[2 * NAME_BYTES + 1];
    X509 *cert = SSL_get1_peer_certificate(ssl);
    if (!cert) return;
    X509_NAME *name = X509_get_subject_name(cert);
    bool named = X509_NAME_entry_count(name) > 0;
    bool fine = SSL_get_verify_result(ssl) == X509_V_OK &&
                X509_NAME_digest(X509_get_issuer_name(cert), EVP_sha256(), issuer, NULL) &&
                (named ? X509_NAME_digest(name, EVP_sha256(), subject, NULL)
                       : X509_pubkey_digest(cert, EVP_sha256(), subject, NULL));
    X509_free(cert);
    if (!fine) return;
    show(of, subject);
    show(by, issuer);
    snprintf(c->who, sizeof c->who, "cert:%s/%s", of, by);
}
