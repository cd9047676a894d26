#include "lab/trace.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 256
#define BLANKS         " \t\r"

static clv_status parse_step(char *line, clv_lab_step *step, clv_error *err)
{
    char *comma = strchr(line, ',');
    if (comma == NULL)
        return clv_fail(err, CLV_EINVAL, "'%s': TIME,LINK is needed, such as '10s,5.85Mbit,60ms'",
                        line);
    *comma = 0;
    clv_status s = clv_parse_duration(line, &step->at_us, err);
    char *link = comma + 1 + strspn(comma + 1, BLANKS);
    return s ? s : clv_link_parse(link, &step->link, err);
}

/* One line of `n` bytes; blanks at both ends do not count. */
static clv_status add_line(clv_lab_trace *t, const char *text, size_t n, clv_error *err)
{
    while (n && strchr(BLANKS, *text)) text++, n--;
    while (n && strchr(BLANKS, text[n - 1])) n--;
    if (n == 0 || *text == '#') return CLV_OK;
    if (n > LINE_MAX_BYTES)
        return clv_fail(err, CLV_ELIMIT, "%zu bytes long, at most %d are possible", n,
                        LINE_MAX_BYTES);
    if (t->n == CLV_LAB_TRACE_STEPS_MAX)
        return clv_fail(err, CLV_ELIMIT, "over %d steps", CLV_LAB_TRACE_STEPS_MAX);
    CLV_AUTO(clv_text_free) char *line = clv_strndup(text, n);
    clv_lab_step step = {0};
    clv_status s = parse_step(line, &step, err);
    if (s) return s;
    if (t->n && step.at_us < t->steps[t->n - 1].at_us)
        return clv_fail(err, CLV_EINVAL, "time '%s' is before that of the step above", line);
    clv_grow(&t->steps, &t->cap, t->n + 1, sizeof *t->steps);
    t->steps[t->n++] = step;
    return CLV_OK;
}

clv_status clv_lab_trace_parse(const char *text, size_t bytes, clv_lab_trace *out, clv_error *err)
{
    clv_lab_trace t = {0};
    size_t number = 1;
    for (size_t at = 0; at < bytes; number++) {
        const char *newline = memchr(text + at, '\n', bytes - at);
        size_t n = newline ? (size_t)(newline - text) - at : bytes - at;
        clv_status s = add_line(&t, text + at, n, err);
        if (s) {
            clv_lab_trace_done(&t);
            return err ? clv_within(err, "line %zu", number) : s;
        }
        at += n + 1;
    }
    if (t.n == 0) return clv_fail(err, CLV_EINVAL, "no step in it; TIME,LINK lines are needed");
    *out = t;
    return CLV_OK;
}

clv_status clv_lab_trace_read(const char *path, clv_lab_trace *out, clv_error *err)
{
    clv_buf text = {0};
    clv_status s = clv_file_read(path, CLV_LAB_TRACE_BYTES_MAX, &text, err);
    if (s) return s;
    s = clv_lab_trace_parse(text.data, text.len, out, err);
    clv_buf_done(&text);
    return s ? clv_within(err, "trace '%s'", path) : CLV_OK;
}

void clv_lab_trace_done(clv_lab_trace *trace)
{
    free(trace->steps);
    *trace = (clv_lab_trace){0};
}
