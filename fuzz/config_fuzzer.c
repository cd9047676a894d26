/* A configuration file: an error that names the place, or values within their bounds. */
#include "cli/config.h"

#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *text;
    int64_t number, wait_us;
    bool flag;
    int choice;
    clv_text_list list;
} options;

static const clv_opt opts[] = {
    CLV_OPT(options, text, TEXT, "models", "default", .help = "text"),
    CLV_OPT(options, number, INT, "queue", "7", .min = 1, .max = 9, .help = "number"),
    CLV_OPT(options, wait_us, DURATION, "patience", "1s", .help = "time"),
    CLV_OPT(options, flag, FLAG, "push", NULL, .help = "flag"),
    CLV_OPT(options, choice, CHOICE, "policy", "exact", .choices = "exact|edge", .help = "choice"),
    CLV_OPT(options, list, LIST, "mix", "x,y", .help = "list"),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    options o = {0};
    clv_config config = {0};
    clv_error err = {0};
    const clv_opt_set set = {opts, sizeof opts / sizeof *opts, &o};
    if (clv_opt_defaults(&set, 1, &err)) abort();
    clv_status status = clv_config_parse(&config, "f.yaml", (const char *)data, n, &set, 1, &err);
    if (status && strncmp(err.text, "f.yaml:", 7) != 0) abort();
    if (o.number < 1 || o.number > 9 || o.choice < 0 || o.choice > 1) abort();
    clv_opt_done(&set, 1);
    clv_config_done(&config);
    return 0;
}
