#include "lab/relay.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_FRAMES 32

typedef struct parcel {
    struct parcel *next;
    clv_shape_packet packet;
    size_t bytes;
    unsigned char frame[];
} parcel;

/* One direction of a link: packets in the order in which they will be delivered. */
typedef struct way {
    clv_shaper shape;
    parcel *head, **tail;
    size_t bytes; /* held */
    clv_relay_counts counts;
} way;

typedef struct relay_link {
    clv_port ports[2]; /* of the sender in direction UP, DOWN */
    way ways[CLV_DIRECTIONS];
} relay_link;

struct clv_relay {
    uint64_t seed;
    size_t n;
    relay_link links[CLV_RELAY_LINKS_MAX];
    unsigned char frame[CLV_PORT_FRAME_MAX];
};

clv_relay *clv_relay_new(uint64_t seed)
{
    clv_relay *r = clv_alloc(sizeof *r);
    r->seed = seed;
    return r;
}

static parcel *pop(way *w)
{
    parcel *p = w->head;
    w->head = p->next;
    if (w->head == NULL) w->tail = &w->head;
    w->bytes -= p->bytes;
    return p;
}

void clv_relay_free(clv_relay *r)
{
    if (r == NULL) return;
    for (size_t i = 0; i < r->n; i++)
        for (int d = 0; d < CLV_DIRECTIONS; d++) {
            way *w = &r->links[i].ways[d];
            while (w->head) free(pop(w));
            clv_port_done(&r->links[i].ports[d]);
        }
    free(r);
}

size_t clv_relay_add(clv_relay *r, clv_port from, clv_port to, const clv_shape_values *up,
                     const clv_shape_values *down)
{
    relay_link *l = &r->links[r->n];
    l->ports[CLV_UP] = from;
    l->ports[CLV_DOWN] = to;
    const clv_shape_values *values[] = {up, down};
    for (size_t d = 0; d < CLV_DIRECTIONS; d++) {
        clv_shape_init(&l->ways[d].shape, values[d], r->seed + 2 * r->n + d);
        l->ways[d].tail = &l->ways[d].head;
    }
    return r->n++;
}

void clv_relay_set(clv_relay *r, size_t i, clv_direction d, const clv_shape_values *values,
                   int64_t now_ns)
{
    way *w = &r->links[i].ways[d];
    clv_shape_change change = clv_shape_set(&w->shape, now_ns, values);
    for (parcel *p = w->head; p; p = p->next) clv_shape_reschedule(&w->shape, &change, &p->packet);
}

const clv_shape_values *clv_relay_values(const clv_relay *r, size_t i, clv_direction d)
{
    return &r->links[i].ways[d].shape.values;
}

const clv_relay_counts *clv_relay_count(const clv_relay *r, size_t i, clv_direction d)
{
    return &r->links[i].ways[d].counts;
}

int clv_relay_port(const clv_relay *r, size_t i)
{
    return r->links[i / 2].ports[i % 2].fd;
}

static void hand_over(way *w, const clv_port *to, int64_t now_ns)
{
    parcel *p = pop(w);
    if (clv_port_write(to, p->frame, p->bytes)) {
        int64_t late_ns = now_ns - p->packet.deliver_ns;
        w->counts.packets += p->packet.wire_packets;
        w->counts.bytes += p->packet.wire_bytes;
        w->counts.frames++;
        w->counts.late_ns_sum += late_ns;
        w->counts.late_ns_max = CLV_MAX(w->counts.late_ns_max, late_ns);
    } else {
        w->counts.dropped += p->packet.wire_packets;
    }
    free(p);
}

int64_t clv_relay_deliver(clv_relay *r, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    for (size_t i = 0; i < r->n; i++)
        for (int d = 0; d < CLV_DIRECTIONS; d++) {
            way *w = &r->links[i].ways[d];
            for (int n = 0; n < BATCH_FRAMES && w->head && w->head->packet.deliver_ns <= now_ns;
                 n++)
                hand_over(w, &r->links[i].ports[!d], now_ns);
            if (w->head) next_ns = CLV_MIN(next_ns, w->head->packet.deliver_ns);
        }
    return next_ns;
}

static void take_in(way *w, const clv_shape_packet *packet, const unsigned char *frame,
                    size_t bytes)
{
    parcel *p = bytes <= CLV_RELAY_BYTES_MAX - w->bytes ? malloc(sizeof *p + bytes) : NULL;
    if (p == NULL) {
        w->counts.dropped += packet->wire_packets;
        return;
    }
    p->next = NULL;
    p->packet = *packet;
    p->bytes = bytes;
    memcpy(p->frame, frame, bytes);
    *w->tail = p;
    w->tail = &p->next;
    w->bytes += bytes;
}

clv_status clv_relay_receive(clv_relay *r, size_t i, int64_t now_ns, clv_error *err)
{
    relay_link *l = &r->links[i / 2];
    const clv_port *port = &l->ports[i % 2];
    way *w = &l->ways[i % 2];
    for (int n = 0; n < BATCH_FRAMES; n++) {
        ssize_t bytes = clv_port_read(port, r->frame);
        if (bytes < 0) return clv_fail_errno(err, "link %zu: reading its port", i / 2);
        if (bytes == 0) break;
        clv_shape_packet p = {0};
        if (!clv_port_wire(r->frame, (size_t)bytes, port->ip_at, &p.wire_bytes, &p.wire_packets))
            continue;
        switch (clv_shape_push(&w->shape, now_ns, &p)) {
        case CLV_SHAPE_PASS: take_in(w, &p, r->frame, (size_t)bytes); break;
        case CLV_SHAPE_LOST: w->counts.lost += p.wire_packets; break;
        case CLV_SHAPE_FULL: w->counts.dropped += p.wire_packets; break;
        }
    }
    return CLV_OK;
}
