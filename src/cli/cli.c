#include "cli/cli.h"
#include "base/mem.h"
#include "base/nearest.h"

#include <errno.h>
#include <string.h>

typedef struct command {
    const char *name;
    clv_status (*run)(clv_args *args, clv_error *err);
    const char *summary;
} command;

/* The last row is empty. */
static const command commands[] = {
#define X(name, summary) {#name, clv_cmd_##name, summary},
#include "cli/commands.def"
#undef X
    {NULL, NULL, NULL},
};

static const command *find(const char *name)
{
    for (const command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0) return c;
    return NULL;
}

static void print_help(FILE *out)
{
    fputs("cleave splits neural networks between an edge device and a cloud,\n"
          "and makes the parts answer as one.\n\n"
          "Usage: cleave COMMAND [ARGUMENT...]\n",
          out);
    if (commands[0].name) fputs("\nCommands:\n", out);
    for (const command *c = commands; c->name; c++)
        fprintf(out, "  %-10s %s\n", c->name, c->summary);
    fputs("\n`cleave help COMMAND` explains a command, `cleave --version` prints the version.\n",
          out);
}

static clv_status unknown(const char *name, clv_error *err)
{
    clv_nearest near = clv_nearest_to(name);
    for (const command *c = commands; c->name; c++) clv_nearest_try(&near, c->name);
    if (near.name)
        return clv_fail(err, CLV_EUSAGE, "unknown command '%s', did you mean '%s'?", name,
                        near.name);
    return clv_fail(err, CLV_EUSAGE, "unknown command '%s', `cleave --help` lists them", name);
}

static clv_status run_command(const command *c, clv_args args, clv_error *err)
{
    clv_status status = c->run(&args, err);
    if (!status) return CLV_OK;
    fprintf(stderr, "cleave %s: %s\n", c->name, err->text);
    return status;
}

/* `cleave help` and `cleave help NAME` */
static clv_status help_on(clv_args args, clv_error *err)
{
    if (args.argc == 0) {
        print_help(stdout);
        return CLV_OK;
    }
    const command *c = args.argc == 1 ? find(args.argv[0]) : NULL;
    if (c) {
        char flag[] = "--help", *argv[] = {flag, NULL};
        return run_command(c, (clv_args){argv, 1}, err);
    }
    clv_status status = args.argc == 1 ? unknown(args.argv[0], err)
                                       : clv_fail(err, CLV_EUSAGE, "help takes one command");
    fprintf(stderr, "cleave: %s\n", err->text);
    return status;
}

static clv_status dispatch(int argc, char **argv, clv_error *err)
{
    const char *first = argc > 1 ? argv[1] : NULL;
    clv_args rest = {.argv = argv + 2, .argc = argc - 2};
    if (!first) {
        print_help(stderr);
        return CLV_EUSAGE;
    }
    if (strcmp(first, "help") == 0) return help_on(rest, err);
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return help_on((clv_args){0}, err);
    if (strcmp(first, "--version") == 0) {
        puts("cleave " CLEAVE_VERSION);
        return CLV_OK;
    }
    const command *c = find(first);
    if (c) return run_command(c, rest, err);
    clv_status status = unknown(first, err);
    fprintf(stderr, "cleave: %s\n", err->text);
    return status;
}

int clv_cli_run(int argc, char **argv)
{
    clv_error err = {0};
    clv_status status = dispatch(argc, argv, &err);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        int code = errno;
        if (code != EPIPE && !status)
            fprintf(stderr, "cleave: standard output: %s\n", strerrordesc_np(code));
        if (!status) status = CLV_EIO;
    }
    return status == CLV_OK ? 0 : status == CLV_EUSAGE ? 2 : 1;
}

typedef struct common_options {
    bool help;
} common_options;

static const clv_opt common_opts[] = {
    CLV_OPT(common_options, help, FLAG, "help", NULL, .letter = 'h', .help = "print this"),
};

static void print_about(const clv_cli_about *about, const clv_opt_set *sets, size_t n_sets)
{
    printf("Usage: %s\n", about->usage);
    if (about->text) {
        putchar('\n');
        clv_opt_help_text(stdout, about->text);
    }
    puts("\nOptions:");
    clv_opt_help(stdout, sets, n_sets);
    if (!about->examples) return;
    puts("\nExamples:");
    for (const char *line = about->examples; *line;) {
        size_t n = strcspn(line, "\n");
        printf("  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static clv_status check_positionals(const clv_cli_about *about, const clv_args *args,
                                    clv_error *err)
{
    size_t n = (size_t)args->argc;
    if (n > about->positionals_max && !about->stop_at_first)
        return clv_fail(err, CLV_EUSAGE, "unexpected argument '%s'; usage: %s",
                        args->argv[about->positionals_max], about->usage);
    if (n < about->positionals_min)
        return clv_fail(err, CLV_EUSAGE, "an argument is missing; usage: %s", about->usage);
    return CLV_OK;
}

clv_status clv_cli_begin(const clv_cli_about *about, const clv_opt_set *sets, size_t n_sets,
                         clv_args *args, bool *help, clv_error *err)
{
    common_options common = {0};
    CLV_AUTO(clv_free) clv_opt_set *all = clv_alloc_array(n_sets + 1, sizeof *all);
    if (n_sets) memcpy(all, sets, n_sets * sizeof *all);
    all[n_sets] = (clv_opt_set){common_opts, CLV_COUNT(common_opts), &common};
    clv_status status = clv_opt_defaults(all, n_sets + 1, err);
    if (!status) status = clv_opt_parse(all, n_sets + 1, args, about->stop_at_first, err);
    if (!status && common.help) print_about(about, all, n_sets + 1);
    if (!status && !common.help) status = check_positionals(about, args, err);
    if (!status) *help = common.help;
    if (status || common.help) clv_opt_done(sets, n_sets);
    return status;
}
