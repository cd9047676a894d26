#include "base/mem.h"
#include "base/opt.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

typedef struct sample {
    bool quiet, spin;
    int64_t threads, bytes, rtt_us;
    double factor, rate_bytes_per_s;
    const char *name;
    int policy;
    clv_text_list nets;
} sample;

static const clv_opt sample_opts[] = {
    CLV_OPT(sample, quiet, FLAG, "quiet", NULL, .letter = 'q', .help = "print nothing"),
    CLV_OPT(sample, spin, FLAG, "spin", "true", .help = "spin"),
    CLV_OPT(sample, threads, INT, "threads", "2", .min = 1, .max = 64, .help = "threads"),
    CLV_OPT(sample, bytes, SIZE, "bytes", "64MiB", .min = 1, .help = "size"),
    CLV_OPT(sample, rtt_us, DURATION, "rtt", "1ms", .help = "round trip time"),
    CLV_OPT(sample, factor, REAL, "factor", NULL, .min = -2, .max = 2, .help = "factor"),
    CLV_OPT(sample, rate_bytes_per_s, RATE, "rate", "1Gbit", .help = "rate of each direction"),
    CLV_OPT(sample, name, TEXT, "name", NULL, .letter = 'n', .arg = "NAME", .help = "a name",
            .env = "CLEAVE_TEST_NAME"),
};
/* A second table of the same command. */
static const clv_opt more_opts[] = {
    CLV_OPT(sample, policy, CHOICE, "policy", "exact", .choices = "exact|edge|cloud",
            .help = "how to choose"),
    CLV_OPT(sample, nets, LIST, "nets", "alexnet,vgg16", .help = "networks"),
};

/* One parse of a command line into `s`, from defaults on. */
typedef struct run {
    sample s;
    clv_opt_set sets[2];
    char *words[32], *argv[32]; /* the texts, and what is parsed and so reordered */
    clv_args args;
    clv_error err;
} run;

static clv_status parse(run *r, bool stop_at_first, const char *const *words)
{
    *r = (run){.sets = {{sample_opts, CLV_COUNT(sample_opts), &r->s},
                        {more_opts, CLV_COUNT(more_opts), &r->s}}};
    r->args.argv = r->argv;
    for (; words[r->args.argc]; r->args.argc++)
        r->argv[r->args.argc] = r->words[r->args.argc] = clv_strdup(words[r->args.argc]);
    clv_status status = clv_opt_defaults(r->sets, 2, &r->err);
    return status ? status : clv_opt_parse(r->sets, 2, &r->args, stop_at_first, &r->err);
}

static void done(run *r)
{
    clv_opt_done(r->sets, 2);
    for (size_t i = 0; i < CLV_COUNT(r->words); i++) free(r->words[i]);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void fallbacks_fill_every_field(void **state)
{
    (void)state;
    run r;
    assert_ok(parse(&r, false, (const char *const[]){NULL}), r.err);
    assert_true(!r.s.quiet && r.s.spin && r.s.threads == 2 && r.s.bytes == 64 << 20);
    assert_true(r.s.rtt_us == 1000 && r.s.rate_bytes_per_s == 125e6 && r.s.factor == 0);
    assert_true(!r.s.name && r.s.policy == 0 && r.s.nets.n == 2);
    assert_string_equal(r.s.nets.items[1], "vgg16");
    done(&r);
}

static void flags_and_positionals_mix(void **state)
{
    (void)state;
    run r;
    assert_ok(parse(&r, false,
                    WORDS("a", "-q", "--threads=8", "b", "--rtt", "50ms", "--no-spin", "-n", "-",
                          "--policy", "cloud", "--factor", "-1.5", "--nets", "x,,y", "--nets", "z",
                          "-", "--", "--quiet")),
              r.err);
    assert_true(r.s.quiet && !r.s.spin && r.s.threads == 8 && r.s.rtt_us == 50000);
    assert_true(r.s.policy == 2 && r.s.factor == -1.5);
    assert_string_equal(r.s.name, "-");
    assert_int_equal(r.s.nets.n, 3); /* flags replace the fallback and add up */
    assert_string_equal(r.s.nets.items[0], "x");
    assert_string_equal(r.s.nets.items[2], "z");
    assert_int_equal(r.args.argc, 4);
    assert_string_equal(r.args.argv[0], "a");
    assert_string_equal(r.args.argv[1], "b");
    assert_string_equal(r.args.argv[2], "-");
    assert_string_equal(r.args.argv[3], "--quiet");
    done(&r);
}

static void stops_at_the_first_positional(void **state)
{
    (void)state;
    run r;
    assert_ok(parse(&r, true, WORDS("-q", "ls", "--threads", "-l")), r.err);
    assert_int_equal(r.args.argc, 3);
    assert_string_equal(r.args.argv[0], "ls");
    assert_string_equal(r.args.argv[2], "-l");
    assert_true(r.s.quiet && r.s.threads == 2);
    done(&r);
}

static void wrong_use_names_flag_value_and_what_is_right(void **state)
{
    (void)state;
    static const struct {
        const char *words[4], *text;
    } rows[] = {
        {{"--thread", "3"}, "unknown option '--thread', did you mean '--threads'?"},
        {{"--frobnicate"}, "unknown option '--frobnicate'"},
        {{"--no-threads"}, "unknown option '--no-threads'"},
        {{"-z"}, "unknown option '-z'"},
        {{"-qq"}, "unknown option '-qq'"},
        {{"--threads"}, "--threads needs a value: threads"},
        {{"--threads", "--quiet"}, "--threads needs a value: threads"},
        {{"--threads=", NULL}, "--threads: '' is not a whole number; e.g. 8"},
        {{"--threads", "0"}, "--threads: '0' is not between 1 and 64"},
        {{"--threads", "65"}, "--threads: '65' is not between 1 and 64"},
        {{"--bytes", "0"}, "--bytes: '0' is less than 1 B"},
        {{"--factor", "2.01"}, "--factor: '2.01' is not between -2 and 2"},
        {{"--rtt", "50"},
         "--rtt: '50' is not a duration, its unit is missing; e.g. 200us, 50ms or 1.5s"},
        {{"--policy", "best"}, "--policy: 'best' is none of exact|edge|cloud"},
        {{"--policy", "ed"}, "--policy: 'ed' is none of exact|edge|cloud"},
        {{"--policy", "exact|edge"}, "--policy: 'exact|edge' is none of exact|edge|cloud"},
        {{"-q", "--quiet"}, "--quiet is given twice, once is right"},
        {{"--quiet=maybe"}, "--quiet: 'maybe' is neither true nor false"},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        run r;
        assert_int_equal(parse(&r, false, rows[i].words), CLV_EUSAGE);
        assert_string_equal(r.err.text, rows[i].text);
        done(&r);
    }
}

static void bounds_include_their_ends(void **state)
{
    (void)state;
    run r;
    assert_ok(parse(&r, false, WORDS("--threads", "64", "--factor", "-2", "--bytes", "1")), r.err);
    done(&r);
    assert_ok(parse(&r, false, WORDS("--threads", "1", "--factor=2", "--quiet=off")), r.err);
    assert_false(r.s.quiet);
    done(&r);
}

/* PATH is set wherever a test runs, and is no number. */
static void the_environment_replaces_a_fallback(void **state)
{
    (void)state;
    run r = {0};
    clv_opt opt = CLV_OPT(sample, name, TEXT, "name", "none", .env = "PATH");
    clv_opt_set set = {&opt, 1, &r.s};
    assert_ok(clv_opt_defaults(&set, 1, &r.err), r.err);
    assert_string_equal(r.s.name, getenv("PATH"));
    opt = (clv_opt)CLV_OPT(sample, threads, INT, "threads", "1", .env = "PATH");
    assert_int_equal(clv_opt_defaults(&set, 1, &r.err), CLV_EUSAGE);
    assert_memory_equal(r.err.text, "$PATH: '", 8);
}

static void settings_by_name(void **state)
{
    (void)state;
    run r;
    assert_ok(parse(&r, false, (const char *const[]){NULL}), r.err);
    assert_ok(clv_opt_set_value(r.sets, 2, "threads", "4", &r.err), r.err);
    assert_ok(clv_opt_set_value(r.sets, 2, "quiet", "yes", &r.err), r.err);
    assert_ok(clv_opt_set_value(r.sets, 2, "nets", "one", &r.err), r.err);
    assert_true(r.s.threads == 4 && r.s.quiet && r.s.nets.n == 1);
    assert_int_equal(clv_opt_set_value(r.sets, 2, "polcy", "edge", &r.err), CLV_ENOTFOUND);
    assert_string_equal(r.err.text, "unknown setting 'polcy', did you mean 'policy'?");
    assert_int_equal(clv_opt_set_value(r.sets, 2, "threads", "many", &r.err), CLV_EUSAGE);
    assert_string_equal(r.err.text, "threads: 'many' is not a whole number; e.g. 8");
    assert_int_equal(r.s.threads, 4);
    done(&r);
}

static void help_has_a_line_an_option(void **state)
{
    (void)state;
    sample s = {0};
    const clv_opt_set sets[] = {{sample_opts, CLV_COUNT(sample_opts), &s},
                                {more_opts, CLV_COUNT(more_opts), &s}};
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    clv_opt_help(out, sets, 2);
    fclose(out);
    assert_non_null(strstr(text, "  -q, --quiet"));
    assert_non_null(strstr(text, "  -n, --name NAME "));
    assert_non_null(strstr(text, "      --rate RATE "));
    assert_non_null(strstr(text, "rate of each direction (default 1Gbit)\n"));
    assert_non_null(strstr(text, "(default on, --no-spin)"));
    assert_non_null(strstr(text, "--policy exact|edge|cloud"));
    assert_non_null(strstr(text, "[$CLEAVE_TEST_NAME]"));
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) lines += text[i] == '\n';
    assert_int_equal(lines, CLV_COUNT(sample_opts) + CLV_COUNT(more_opts));
    free(text);
}

static void help_is_wrapped_under_its_column(void **state)
{
    (void)state;
    char many[400] = "";
    for (int i = 0; i < 30; i++) strcat(many, i % 7 ? "word " : "longer-word\n");
    const clv_opt opts[] = {
        CLV_OPT(sample, quiet, FLAG, "quiet", NULL, .letter = 'q', .help = many),
    };
    sample s = {0};
    const clv_opt_set set = {opts, 1, &s};
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    clv_opt_help(out, &set, 1);
    clv_opt_help_text(out, many);
    fclose(out);
    size_t lines = 0, column = strlen("  -q, --quiet  "), plain = 0;
    for (char *line = text; *line; lines++) {
        size_t len = strcspn(line, "\n");
        assert_in_range(len, 1, 100);
        size_t indent = strspn(line, " ");
        if (lines > 0 && indent) assert_int_equal(indent, column);
        plain += !indent;
        line += len + 1;
    }
    assert_int_equal(lines, 5);
    assert_int_equal(plain, 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fallbacks_fill_every_field),
        cmocka_unit_test(flags_and_positionals_mix),
        cmocka_unit_test(stops_at_the_first_positional),
        cmocka_unit_test(wrong_use_names_flag_value_and_what_is_right),
        cmocka_unit_test(bounds_include_their_ends),
        cmocka_unit_test(the_environment_replaces_a_fallback),
        cmocka_unit_test(settings_by_name),
        cmocka_unit_test(help_has_a_line_an_option),
        cmocka_unit_test(help_is_wrapped_under_its_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
