/* The link of a lab as flags: shared by `cleave lab run`, `shell` and `set`.
 *
 * `--link` takes a preset or RATE,RTT; the other flags replace single values of it. Texts, because a
 * flag that is not given must be told from one that is zero. */
#ifndef CLV_CLI_LAB_OPTIONS_H
#define CLV_CLI_LAB_OPTIONS_H

#include "base/opt.h"
#include "lab/message.h"

typedef struct clv_lab_link_flags {
    const char *link, *rate, *up, *down, *rtt, *jitter, *loss, *queue;
} clv_lab_link_flags;

extern const clv_opt clv_lab_link_opts[];
extern const size_t clv_lab_link_opts_n;

/* What the flags change: values and clv_lab_field bits of each direction. */
typedef struct clv_lab_link_change {
    clv_shape_values values[CLV_DIRECTIONS];
    uint32_t fields[CLV_DIRECTIONS];
} clv_lab_link_change;

/* `link` is one link's text, usually flags->link; NULL: none. CLV_EUSAGE for what does not parse. */
CLV_MUST
clv_status clv_lab_link_change_parse(const clv_lab_link_flags *flags, const char *link,
                                     clv_lab_link_change *out, clv_error *err);

/* The subcommands in files of their own. */
CLV_MUST
clv_status clv_lab_run(clv_args *args, bool shell, clv_error *err);
CLV_MUST
clv_status clv_lab_validate_command(clv_args *args, clv_error *err);

#endif
