#include "net/caller.h"

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static clv_caller caller_of(const char *ip, int port)
{
    clv_caller c = {0};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, ip, &four.sin_addr) == 1) {
        clv_caller_address(&c, (struct sockaddr *)&four);
    } else {
        assert_int_equal(inet_pton(AF_INET6, ip, &six.sin6_addr), 1);
        clv_caller_address(&c, (struct sockaddr *)&six);
    }
    return c;
}

static void an_address_is_one_caller_on_all_its_ports(void **state)
{
    (void)state;
    clv_caller c = caller_of("10.0.0.7", 4711);
    assert_string_equal(c.text, "10.0.0.7:4711");
    assert_string_equal(c.who, "10.0.0.7");
    assert_string_equal(caller_of("10.0.0.7", 4712).who, c.who);
    assert_string_not_equal(caller_of("10.0.0.8", 4711).who, c.who);
}

static void a_host_with_many_addresses_is_one_caller(void **state)
{
    (void)state;
    clv_caller c = caller_of("2001:db8:0:1::5", 80);
    assert_string_equal(c.text, "[2001:db8:0:1::5]:80");
    assert_string_equal(c.who, "2001:db8:0:1::/64");
    assert_string_equal(caller_of("2001:db8:0:1:ffff::9", 81).who, c.who);
    assert_string_not_equal(caller_of("2001:db8:0:2::5", 80).who, c.who);
    clv_caller longest = caller_of("2001:db8:1234:5678:9abc:def0:1234:5678", 65535);
    assert_string_equal(longest.text, "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535");
    assert_string_equal(longest.who, "2001:db8:1234:5678::/64");
}

static void an_ipv4_address_in_ipv6_is_that_address(void **state)
{
    (void)state;
    assert_string_equal(caller_of("::ffff:10.0.0.7", 4711).who, caller_of("10.0.0.7", 1).who);
}

static void a_process_of_this_machine_is_its_user(void **state)
{
    (void)state;
    clv_caller c = {0};
    clv_caller_address(&c, &(struct sockaddr){.sa_family = AF_UNIX});
    assert_string_equal(c.who, "unix");
    clv_caller_process(&c, -1); /* nothing is known of it */
    assert_string_equal(c.text, "unix");
    int fds[2];
    char text[CLV_PEER_TEXT_MAX], who[CLV_WHO_TEXT_MAX];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    clv_caller_process(&c, fds[0]);
    snprintf(text, sizeof text, "unix:uid=%d,pid=%d", (int)getuid(), (int)getpid());
    snprintf(who, sizeof who, "uid:%d", (int)getuid());
    assert_string_equal(c.text, text);
    assert_string_equal(c.who, who);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_one_caller_on_all_its_ports),
        cmocka_unit_test(a_host_with_many_addresses_is_one_caller),
        cmocka_unit_test(an_ipv4_address_in_ipv6_is_that_address),
        cmocka_unit_test(a_process_of_this_machine_is_its_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
