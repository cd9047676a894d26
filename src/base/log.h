/* The program's log: one line an event, logfmt, to standard error.
 *
 *     clv_log(CLV_LOG_WARN, "split", "peer lost", "peer=%s error=\"%s\"", url, err.text);
 *     2026-11-21T22:10:05.123Z warn split "peer lost" peer=... error="..."
 *
 * Only programs (cli, serve, split's background work) log; library functions return errors. No
 * secrets: never log tokens, keys or tensor contents. Threads: any; a line is written with one
 * write(2).
 */
#ifndef CLV_BASE_LOG_H
#define CLV_BASE_LOG_H

#include "base/status.h"

typedef enum clv_log_level {
    CLV_LOG_DEBUG,
    CLV_LOG_INFO,
    CLV_LOG_WARN,
    CLV_LOG_ERROR
} clv_log_level;

void clv_log_set_level(clv_log_level level); /* default INFO */
CLV_MUST
clv_status clv_log_parse_level(const char *text, clv_log_level *level, clv_error *err);
/* `fields` is a printf format of logfmt pairs, may be "". */
void clv_log(clv_log_level level, const char *room, const char *event, const char *fields, ...)
    CLV_PRINTF(4, 5);

#endif
