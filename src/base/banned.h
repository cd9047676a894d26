/* Functions that this project does not use: unbounded, locale-bound or not thread-safe.
 * The build includes this header before every source file, so that a use is a compile error.
 * The system headers that declare them come first. */
#ifndef CLV_BASE_BANNED_H
#define CLV_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atof
#pragma GCC poison gmtime localtime asctime ctime tmpnam mktemp strerror setenv putenv

/* These are also names of parameters in OpenSSL's headers, so only calls of them are errors. */
#define rand(...)  banned_use_clv_rng_instead
#define srand(...) banned_use_clv_rng_instead

#endif
