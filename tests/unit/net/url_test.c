#include "net/url.h"

#include "unit.h"

#include "base/mem.h"

#include <string.h>

static void hosts_and_ports_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        int port;
        bool tls;
    } cases[] = {{"http://a", "a", 80, false},
                 {"https://a.b/", "a.b", 443, true},
                 {"http://127.0.0.1:8000", "127.0.0.1", 8000, false},
                 {"https://[::1]:65535/", "::1", 65535, true},
                 {"http://[fe80::1]", "fe80::1", 80, false}};
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_error err = {0};
        clv_url url;
        assert_ok(clv_url_parse(cases[i].text, &url, &err), err);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.tls, cases[i].tls);
        assert_string_equal(url.path, "");
    }
}

static void a_path_is_taken_as_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text, *path;
    } cases[] = {{"unix:/run/cleave.sock", "/run/cleave.sock"},
                 {"unix:///run/cleave.sock", "/run/cleave.sock"},
                 {"unix:cleave.sock", "cleave.sock"},
                 {"unix:./a:b/c?d#e%20 f", "./a:b/c?d#e%20 f"},
                 {"unix:/", "/"}};
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_error err = {0};
        clv_url url;
        assert_ok(clv_url_parse(cases[i].text, &url, &err), err);
        assert_string_equal(url.path, cases[i].path);
        assert_string_equal(url.host, "localhost");
        assert_int_equal(url.port, 0);
        assert_false(url.tls);
    }
}

static void assert_bad(const char *text, const char *why)
{
    clv_error err = {0};
    clv_url url = {.port = 7};
    assert_int_equal(clv_url_parse(text, &url, &err), CLV_EINVAL);
    if (!strstr(err.text, why)) fail_msg("'%s' does not say '%s'", err.text, why);
    if (strlen(text) < 200) assert_non_null(strstr(err.text, text));
    assert_int_equal(url.port, 7);
}

static void what_is_no_address_is_told(void **state)
{
    (void)state;
    assert_bad("unix:", "is missing");
    assert_bad("unix://", "a path must follow");
    assert_bad("unix://run/cleave.sock", "unix:///run");
    assert_bad("unix", "must begin with http://, https:// or unix:");
    assert_bad("https://a:0", "port");
    assert_bad("http://a/unix:b", "must end after the port");
}

static void a_path_has_the_length_of_an_address(void **state)
{
    (void)state;
    char text[5 + CLV_SOCKET_PATH_MAX + 2] = "unix:";
    memset(text + 5, 'p', CLV_SOCKET_PATH_MAX);
    clv_error err = {0};
    clv_url url;
    assert_ok(clv_url_parse(text, &url, &err), err);
    assert_int_equal(strlen(url.path), CLV_SOCKET_PATH_MAX);
    text[5 + CLV_SOCKET_PATH_MAX] = 'p';
    assert_bad(text, "may have 107 bytes, this has 108");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_and_ports_are_split),
        cmocka_unit_test(a_path_is_taken_as_it_is),
        cmocka_unit_test(what_is_no_address_is_told),
        cmocka_unit_test(a_path_has_the_length_of_an_address),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
