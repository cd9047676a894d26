/* Keys and certificates of a test's own: an issuer, a node at 127.0.0.1, another of another name. State of a test: make_pki and
 * drop_pki set it up and tear it down. */
#ifndef CLV_TESTS_NET_PKI_H
#define CLV_TESTS_NET_PKI_H

#include "unit.h"

#include "base/file.h"
#include "base/mem.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct pki {
    char *dir;
    char ca[256], cert[256], key[256], other_cert[256], other_key[256], junk[256];
} pki;

static inline void write_key(const char *path, EVP_PKEY *key)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
}

static inline void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(e);
    X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
}

/* A certificate for `names` signed by `issuer` (NULL: by itself), written to `path`. */
static inline X509 *make_cert(const char *path, EVP_PKEY *key, const char *common,
                              const char *names, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0);
    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name);
    add_extension(cert, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
    if (names) add_extension(cert, NID_subject_alt_name, names);
    assert_true(X509_sign(cert, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    PEM_write_X509(f, cert);
    fclose(f);
    return cert;
}

static inline int make_pki(void **state)
{
    clv_error err = {0};
    pki *p = clv_alloc(sizeof *p);
    assert_ok(clv_dir_temp("clv-tls", &p->dir, &err), err);
    snprintf(p->ca, sizeof p->ca, "%s/ca.pem", p->dir);
    snprintf(p->cert, sizeof p->cert, "%s/cert.pem", p->dir);
    snprintf(p->key, sizeof p->key, "%s/key.pem", p->dir);
    snprintf(p->other_cert, sizeof p->other_cert, "%s/other-cert.pem", p->dir);
    snprintf(p->other_key, sizeof p->other_key, "%s/other-key.pem", p->dir);
    snprintf(p->junk, sizeof p->junk, "%s/junk.pem", p->dir);
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    EVP_PKEY *other_key = EVP_EC_gen("P-256");
    X509 *ca = make_cert(p->ca, ca_key, "test issuer", NULL, NULL, NULL);
    X509_free(make_cert(p->cert, key, "node", "IP:127.0.0.1", ca, ca_key));
    X509_free(make_cert(p->other_cert, other_key, "other", "DNS:elsewhere.test", ca, ca_key));
    write_key(p->key, key);
    write_key(p->other_key, other_key);
    assert_ok(clv_file_write(p->junk, "not a certificate", 17, &err), err);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    *state = p;
    return 0;
}

static inline int drop_pki(void **state)
{
    pki *p = *state;
    clv_dir_remove(p->dir);
    free(p->dir);
    free(p);
    return 0;
}

#endif
