#include "base/log.h"
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One write(2) of at most PIPE_BUF (4096 on Linux) bytes is not torn by other writers. */
#define LOG_LINE_MAX 2048

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static _Atomic int lowest_level = CLV_LOG_INFO;

void clv_log_set_level(clv_log_level level)
{
    atomic_store(&lowest_level, (int)level);
}

clv_status clv_log_parse_level(const char *text, clv_log_level *level, clv_error *err)
{
    for (int i = 0; i <= CLV_LOG_ERROR; i++) {
        if (strcmp(text, level_names[i]) != 0) continue;
        *level = (clv_log_level)i;
        return CLV_OK;
    }
    return clv_fail(err, CLV_EINVAL, "'%s' is not a log level: debug, info, warn or error", text);
}

/* What snprintf() wrote into a room of `size` bytes, when it had to cut. */
static size_t fitted(int n, size_t size)
{
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

static size_t print_head(char *line, size_t size, clv_log_level level, const char *room,
                         const char *event)
{
    int64_t now_us = clv_wall_us();
    time_t now_s = (time_t)(now_us / 1000000);
    struct tm utc = {0};
    gmtime_r(&now_s, &utc);
    size_t n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return n + fitted(snprintf(line + n, size - n, ".%03dZ %s %s \"%s\"",
                               (int)(now_us / 1000 % 1000), level_names[level], room, event),
                      size - n);
}

void clv_log(clv_log_level level, const char *room, const char *event, const char *fields, ...)
{
    if ((int)level < atomic_load(&lowest_level)) return;
    char line[LOG_LINE_MAX];
    const size_t size = sizeof line - 1; /* one byte stays for the newline */
    size_t n = print_head(line, size, level, room, event);
    if (*fields && n + 1 < size) {
        line[n++] = ' ';
        va_list ap;
        va_start(ap, fields);
        n += fitted(vsnprintf(line + n, size - n, fields, ap), size - n);
        va_end(ap);
    }
    /* A value from outside must not start a line of its own. */
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = ' ';
    line[n++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written; /* there is nowhere to report it */
}
