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

#endif
