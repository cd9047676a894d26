/* What every unit test starts with: cmocka and the headers it forgets to include. */
#ifndef CLV_TESTS_UNIT_H
#define CLV_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

/* The call succeeds; otherwise the test fails with the error's text. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        if ((call) != CLV_OK) fail_msg("%s: %s", #call, (err).text);                               \
    } while (0)

/* Of `n` seeded cases: all of them, or an eighth in a build with sanitizers, where each takes ten times as long. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNIT_SANITIZED
#endif
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define UNIT_SANITIZED
#endif
#ifdef UNIT_SANITIZED
#define CASES(n) ((n) / 8)
#else
#define CASES(n) (n)
#endif

#endif
