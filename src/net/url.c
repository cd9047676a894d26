#include "net/url.h"

#include "net/text.h"

#include <string.h>

static clv_status bad(clv_error *err, const char *text, const char *why)
{
    return clv_fail(err, CLV_EINVAL, "url '%.200s': %s, e.g. http://10.0.0.2:8000", text, why);
}

/* `at`: behind "unix:". */
static clv_status parse_path(const char *text, const char *at, clv_url *url, clv_error *err)
{
    struct sockaddr_un address;
    if (!strncmp(at, "//", 2)) {
        at += 2;
        if (*at != '/') {
            return clv_fail(err, CLV_EINVAL,
                            "url '%.200s': a path must follow, e.g. unix:///run/cleave.sock", text);
        }
    }
    if (clv_socket_address(at, &address, err)) return clv_within(err, "url '%.200s'", text);
    *url = (clv_url){.host = "localhost"};
    memcpy(url->path, at, strlen(at));
    return CLV_OK;
}

/* Split "host", "host:port" or "[v6]:port"; `port` points behind the colon or is NULL. */
static bool split_host(const char *at, size_t n, clv_url *url, const char **port, size_t *port_n)
{
    const char *end = at + n;
    const char *host = at, *host_end;
    if (n && *at == '[') {
        host++;
        host_end = memchr(at, ']', n);
        if (!host_end) return false;
        at = host_end + 1;
        if (at < end && *at != ':') return false;
    } else {
        host_end = memchr(at, ':', n);
        if (!host_end) host_end = end;
        at = host_end;
    }
    *port = at < end ? at + 1 : NULL;
    *port_n = at < end ? (size_t)(end - at - 1) : 0;
    size_t host_n = (size_t)(host_end - host);
    if (!host_n || host_n >= sizeof url->host) return false;
    memcpy(url->host, host, host_n);
    url->host[host_n] = 0;
    return !strpbrk(url->host, "@ ?#");
}

clv_status clv_url_parse(const char *text, clv_url *out, clv_error *err)
{
    clv_url url = {0};
    const char *at = text;
    if (!strncmp(text, "unix:", 5)) return parse_path(text, text + 5, out, err);
    if (!strncmp(text, "https://", 8)) {
        url.tls = true;
        at += 8;
    } else if (!strncmp(text, "http://", 7)) {
        at += 7;
    } else {
        return bad(err, text, "must begin with http://, https:// or unix:");
    }
    size_t n = strcspn(at, "/");
    if (at[n] == '/' && at[n + 1]) return bad(err, text, "must end after the port");
    const char *port;
    size_t port_n, number = url.tls ? 443 : 80;
    if (!split_host(at, n, &url, &port, &port_n)) return bad(err, text, "host is not valid");
    if (port) {
        char digits[8] = {0};
        if (port_n < sizeof digits) memcpy(digits, port, port_n);
        if (!clv_text_to_size(digits, &number) || number < 1 || number > 65535) {
            return bad(err, text, "port must be 1 to 65535");
        }
    }
    url.port = (int)number;
    *out = url;
    return CLV_OK;
}
