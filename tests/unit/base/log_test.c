#include "base/buf.h"
#include "base/log.h"
#include "unit.h"

#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What `write_log` writes to standard error, which is a pipe meanwhile. */
static char *captured(void (*write_log)(void))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    write_log();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    clv_buf b = {0};
    char chunk[512];
    for (ssize_t n; (n = read(ends[0], chunk, sizeof chunk)) > 0;)
        clv_buf_add(&b, chunk, (size_t)n);
    close(ends[0]);
    return clv_buf_take(&b);
}

static void two_events(void)
{
    clv_log(CLV_LOG_DEBUG, "split", "hidden", "");
    clv_log(CLV_LOG_WARN, "split", "peer lost", "peer=%s error=\"%s\"", "p:1", "a\nb");
    clv_log_set_level(CLV_LOG_ERROR);
    clv_log(CLV_LOG_WARN, "split", "hidden too", "");
    clv_log_set_level(CLV_LOG_INFO);
}

static void an_event_is_one_line(void **state)
{
    (void)state;
    char *text = captured(two_events);
    regex_t form;
    assert_int_equal(regcomp(&form,
                             "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z warn split "
                             "\"peer lost\" peer=p:1 error=\"a b\"\n$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    if (regexec(&form, text, 0, NULL, 0) != 0) fail_msg("unexpected line: %s", text);
    regfree(&form);
    free(text);
}

static void a_huge_event(void)
{
    char big[8000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    clv_log(CLV_LOG_ERROR, "net", "long", "a=%s", big);
}

static void a_long_event_is_cut_and_ends_its_line(void **state)
{
    (void)state;
    char *text = captured(a_huge_event);
    size_t n = strlen(text);
    assert_in_range(n, 1000, 4096); /* PIPE_BUF: never torn */
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
    free(text);
}

static void levels_have_names(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_log_level level = CLV_LOG_INFO;
    assert_ok(clv_log_parse_level("error", &level, &err), err);
    assert_int_equal(level, CLV_LOG_ERROR);
    assert_int_equal(clv_log_parse_level("loud", &level, &err), CLV_EINVAL);
    assert_string_equal(err.text, "'loud' is not a log level: debug, info, warn or error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_one_line),
        cmocka_unit_test(a_long_event_is_cut_and_ends_its_line),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
