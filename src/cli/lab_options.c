#include "cli/lab_options.h"

#include "base/mem.h"
#include "base/unit.h"
#include "lab/lab.h"

#include <string.h>

typedef clv_lab_link_flags flags;

const clv_opt clv_lab_link_opts[] = {
    CLV_OPT(flags, link, TEXT, "link", NULL, .arg = "LINK",
            .help = "a preset (`cleave lab links`), or RATE,RTT, or UP/DOWN,RTT; 'down' cuts it"),
    CLV_OPT(flags, rate, TEXT, "rate", NULL, .arg = "RATE", .help = "rate of both directions"),
    CLV_OPT(flags, up, TEXT, "up", NULL, .arg = "RATE", .help = "rate from the edge to the cloud"),
    CLV_OPT(flags, down, TEXT, "down", NULL, .arg = "RATE",
            .help = "rate from the cloud to the edge"),
    CLV_OPT(flags, rtt, TEXT, "rtt", NULL, .arg = "TIME", .help = "round trip, half each way"),
    CLV_OPT(flags, jitter, TEXT, "jitter", NULL, .arg = "TIME[/TIME]",
            .help = "each packet's delay varies by at most this, order is kept (UP/DOWN)"),
    CLV_OPT(flags, loss, TEXT, "loss", NULL, .arg = "PART[/PART]",
            .help = "packets lost, such as 2% or 0.02 (UP/DOWN)"),
    CLV_OPT(flags, queue, TEXT, "queue", NULL, .arg = "SIZE[/SIZE]",
            .help = "bytes that may wait for the wire; 0: chosen by rate and delay (UP/DOWN)"),
};
const size_t clv_lab_link_opts_n = CLV_COUNT(clv_lab_link_opts);

typedef clv_status parse_one(const char *text, clv_shape_values *v, clv_error *err);

static clv_status parse_rate(const char *text, clv_shape_values *v, clv_error *err)
{
    return clv_parse_rate(text, &v->rate_bytes_per_s, err);
}

static clv_status parse_delay(const char *text, clv_shape_values *v, clv_error *err)
{
    int64_t rtt_us = 0;
    clv_status s = clv_parse_duration(text, &rtt_us, err);
    v->delay_us = rtt_us / 2;
    return s;
}

static clv_status parse_jitter(const char *text, clv_shape_values *v, clv_error *err)
{
    return clv_parse_duration(text, &v->jitter_us, err);
}

static clv_status parse_loss(const char *text, clv_shape_values *v, clv_error *err)
{
    size_t n = strlen(text);
    bool percent = n > 0 && text[n - 1] == '%';
    CLV_AUTO(clv_text_free) char *number = clv_strndup(text, n - percent);
    double x = 0;
    if (clv_parse_real(number, &x, NULL) || !(x >= 0 && x <= (percent ? 100 : 1)))
        return clv_fail(err, CLV_EINVAL, "'%s': 0%% to 100%% (or 0 to 1) are possible", text);
    v->loss = percent ? x / 100 : x;
    return CLV_OK;
}

static clv_status parse_queue(const char *text, clv_shape_values *v, clv_error *err)
{
    return clv_parse_size(text, &v->queue_bytes, err);
}

/* "X" for both directions, "X/Y" for up and down. */
static clv_status parse_both(const char *name, const char *text, parse_one *parse, uint32_t field,
                             clv_lab_link_change *c, clv_error *err)
{
    if (text == NULL) return CLV_OK;
    const char *slash = field == CLV_LAB_RATE ? NULL : strchr(text, '/');
    CLV_AUTO(clv_text_free)
    char *up = clv_strndup(text, slash ? (size_t)(slash - text) : strlen(text));
    clv_error why = {0};
    if (parse(up, &c->values[CLV_UP], &why) ||
        parse(slash ? slash + 1 : text, &c->values[CLV_DOWN], &why))
        return clv_fail(err, CLV_EUSAGE, "--%s: %s", name, why.text);
    for (int d = 0; d < CLV_DIRECTIONS; d++) c->fields[d] |= field;
    return CLV_OK;
}

static clv_status parse_rate_of(const char *name, const char *text, clv_direction d,
                                clv_lab_link_change *c, clv_error *err)
{
    if (text == NULL) return CLV_OK;
    clv_error why = {0};
    if (clv_parse_rate(text, &c->values[d].rate_bytes_per_s, &why))
        return clv_fail(err, CLV_EUSAGE, "--%s: %s", name, why.text);
    c->fields[d] |= CLV_LAB_RATE;
    return CLV_OK;
}

static clv_status parse_link(const char *text, clv_lab_link_change *c, clv_error *err)
{
    if (text == NULL) return CLV_OK;
    clv_link link;
    clv_error why = {0};
    if (clv_link_parse(text, &link, &why)) return clv_fail(err, CLV_EUSAGE, "--link: %s", why.text);
    clv_lab_link_values(&link, &c->values[CLV_UP], &c->values[CLV_DOWN]);
    /* A link that comes back after 'down' loses nothing again. */
    for (int d = 0; d < CLV_DIRECTIONS; d++)
        c->fields[d] |= CLV_LAB_RATE | CLV_LAB_DELAY | CLV_LAB_LOSS;
    return CLV_OK;
}

clv_status clv_lab_link_change_parse(const clv_lab_link_flags *f, const char *link,
                                     clv_lab_link_change *out, clv_error *err)
{
    clv_lab_link_change c = {0};
    clv_status s = parse_link(link, &c, err);
    if (s == CLV_OK) s = parse_both("rate", f->rate, parse_rate, CLV_LAB_RATE, &c, err);
    if (s == CLV_OK) s = parse_rate_of("up", f->up, CLV_UP, &c, err);
    if (s == CLV_OK) s = parse_rate_of("down", f->down, CLV_DOWN, &c, err);
    if (s == CLV_OK && f->rtt && strchr(f->rtt, '/'))
        s = clv_fail(err, CLV_EUSAGE, "--rtt: '%s': one time, such as '60ms'", f->rtt);
    if (s == CLV_OK) s = parse_both("rtt", f->rtt, parse_delay, CLV_LAB_DELAY, &c, err);
    if (s == CLV_OK) s = parse_both("jitter", f->jitter, parse_jitter, CLV_LAB_JITTER, &c, err);
    if (s == CLV_OK) s = parse_both("loss", f->loss, parse_loss, CLV_LAB_LOSS, &c, err);
    if (s == CLV_OK) s = parse_both("queue", f->queue, parse_queue, CLV_LAB_QUEUE, &c, err);
    if (s == CLV_OK) *out = c;
    return s;
}
