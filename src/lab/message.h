/* What the keeper of a lab is asked, and what it answers: fixed records over a Unix SEQPACKET socket,
 * with descriptors beside them (SCM_RIGHTS).
 *
 * Both ends are the same program, so the records are plain structs of this machine; `version` is
 * checked all the same, because `cleave lab set` may come from another build. The keeper trusts
 * nothing in a request: lengths, indices and values are checked before use.
 */
#ifndef CLV_LAB_MESSAGE_H
#define CLV_LAB_MESSAGE_H

#include "lab/relay.h"

#include <stdbool.h>

#define CLV_LAB_MESSAGE_VERSION 1u
#define CLV_LAB_HOSTS_MAX       16
#define CLV_LAB_NAME_MAX        16 /* with the NUL: a host's name is also an interface's */
#define CLV_LAB_LINK_NAME_MAX   (2 * CLV_LAB_NAME_MAX)

typedef enum clv_lab_op {
    CLV_LAB_STATUS, /* only answer */
    CLV_LAB_SET,    /* change fields of a link */
    CLV_LAB_SOCKET, /* make a socket inside a host and send it along */
    CLV_LAB_OPS
} clv_lab_op;

/* Which values a CLV_LAB_SET changes; the others stay. */
typedef enum clv_lab_field {
    CLV_LAB_RATE = 1,
    CLV_LAB_DELAY = 2,
    CLV_LAB_JITTER = 4,
    CLV_LAB_LOSS = 8,
    CLV_LAB_QUEUE = 16,
    CLV_LAB_ALL_FIELDS = 31
} clv_lab_field;

typedef struct clv_lab_request {
    uint32_t version, op;
    uint32_t link;                           /* SET */
    uint32_t fields[CLV_DIRECTIONS];         /* SET: clv_lab_field bits */
    clv_shape_values values[CLV_DIRECTIONS]; /* SET */
    uint32_t host;                           /* SOCKET */
    int32_t socket_type;                     /* SOCKET: SOCK_STREAM, SOCK_DGRAM */
} clv_lab_request;

typedef struct clv_lab_link_state {
    char name[CLV_LAB_LINK_NAME_MAX]; /* "edge-cloud": up is from the first to the second */
    clv_shape_values values[CLV_DIRECTIONS];
    clv_relay_counts counts[CLV_DIRECTIONS];
} clv_lab_link_state;

typedef struct clv_lab_reply {
    uint32_t version;
    uint32_t status; /* clv_status of the request */
    char text[CLV_ERROR_TEXT_MAX];
    char transport[16]; /* "tun", "packet" */
    bool user_namespace;
    int64_t cpu_us; /* that the keeper has used */
    uint32_t n_hosts, n_links;
    char hosts[CLV_LAB_HOSTS_MAX][CLV_LAB_NAME_MAX];
    clv_lab_link_state links[CLV_RELAY_LINKS_MAX];
} clv_lab_reply;

/* The new values of a direction: `now` with the named fields replaced. A changed rate or delay with
 * an unnamed queue gets the default queue of the new values, if it had the default before. */
clv_shape_values clv_lab_merge(const clv_shape_values *now, const clv_shape_values *change,
                               uint32_t fields);

/* Send and receive one record with up to CLV_LAB_HOSTS_MAX + 1 descriptors. Receiving returns the
 * bytes, 0 at the end of the connection, -1 with errno; `*n_fds` is the room, then the number. */
CLV_MUST
bool clv_message_send(int sock, const void *record, size_t bytes, const int *fds, size_t n_fds);
CLV_MUST
long clv_message_receive(int sock, void *record, size_t bytes, int *fds, size_t *n_fds);

/* A client of a running lab, by the path of its control socket. Opens a connection a request. */
CLV_MUST
clv_status clv_lab_ask(const char *control, const clv_lab_request *request, clv_lab_reply *reply,
                       clv_error *err);
/* The control socket to use: `wanted` (a path, or a lab's name), else $CLEAVE_LAB, else that of the
 * only running lab of this user. Heap text. */
CLV_MUST
clv_status clv_lab_find(const char *wanted, char **control, clv_error *err);
/* Where the control socket of a lab of this name lies. Heap text. */
char *clv_lab_control_path(const char *name);

#endif
