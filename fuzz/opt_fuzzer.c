/* A command line from anywhere: words are separated by newlines. Whatever they are, parsing ends
 * with values inside the bounds of the table, or with one line of error. */
#include "base/mem.h"
#include "base/opt.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 32

typedef struct sample {
    bool quiet;
    int64_t threads, bytes, rtt_us;
    double factor, rate_bytes_per_s;
    const char *name;
    int policy;
    clv_text_list nets;
} sample;

static const clv_opt opts[] = {
    CLV_OPT(sample, quiet, FLAG, "quiet", NULL, .letter = 'q', .help = ""),
    CLV_OPT(sample, threads, INT, "threads", "2", .letter = 't', .min = 1, .max = 64, .help = ""),
    CLV_OPT(sample, bytes, SIZE, "bytes", "64MiB", .letter = 'b', .help = ""),
    CLV_OPT(sample, rtt_us, DURATION, "rtt", "1ms", .letter = 'd', .help = ""),
    CLV_OPT(sample, factor, REAL, "factor", NULL, .letter = 'f', .min = -2, .max = 2, .help = ""),
    CLV_OPT(sample, rate_bytes_per_s, RATE, "rate", "1Gbit", .letter = 'r', .help = ""),
    CLV_OPT(sample, name, TEXT, "name", NULL, .letter = 'n', .help = ""),
    CLV_OPT(sample, policy, CHOICE, "policy", "exact", .letter = 'p', .choices = "exact|edge|cloud",
            .help = ""),
    CLV_OPT(sample, nets, LIST, "nets", "alexnet,vgg16", .letter = 'l', .help = ""),
};

static void check(const sample *s, const clv_args *args, int n)
{
    bool sound = s->threads >= 1 && s->threads <= 64 && s->bytes >= 0 && s->rtt_us >= 0 &&
                 s->factor >= -2 && s->factor <= 2 && isfinite(s->rate_bytes_per_s) &&
                 s->rate_bytes_per_s >= 0 && s->policy >= 0 && s->policy <= 2 && args->argc >= 0 &&
                 args->argc <= n;
    if (!sound) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLV_AUTO(clv_text_free) char *text = clv_strndup((const char *)data, size);
    char *words[WORDS_MAX] = {0};
    int n = 0;
    bool stop = size && data[0] == '!';
    for (char *at = text; n < WORDS_MAX;) {
        words[n++] = at;
        at += strcspn(at, "\n");
        if (!*at) break;
        *at++ = 0;
    }
    sample s = {0};
    const clv_opt_set set = {opts, CLV_COUNT(opts), &s};
    clv_args args = {.argv = words, .argc = n};
    clv_error err = {0};
    if (clv_opt_defaults(&set, 1, &err)) abort();
    clv_status status = clv_opt_parse(&set, 1, &args, stop, &err);
    check(&s, &args, n);
    if (status && (status != CLV_EUSAGE || !err.text[0] || strchr(err.text, '\n'))) abort();
    clv_opt_done(&set, 1);
    return 0;
}
