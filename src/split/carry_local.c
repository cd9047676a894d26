/* The parts of a request that run here, on the compute lane. */
#include "split/carry.h"

#include "base/clock.h"
#include "split/coding.h"

#include <stdlib.h>

static bool carry_late(clv_carry *c)
{
    if (!c->r->deadline_us || clv_now_us() < c->r->deadline_us) return false;
    clv_error err = {0};
    clv_fail(&err, CLV_ETIMEOUT,
             "model '%s': the deadline passed %lld us ago, before the request could run",
             c->s->model, (long long)(clv_now_us() - c->r->deadline_us));
    clv_carry_fail(c, &err);
    return true;
}

/* Read what came coded and this segment needs. */
static clv_status read_coded(clv_carry *c, const clv_segment *segment, clv_error *err)
{
    size_t n;
    const clv_tensor_spec *specs = clv_segment_inputs(segment, &n);
    int64_t start = clv_now_us();
    clv_status status = clv_coding_read(&c->given, specs, n, &c->plain, err);
    c->r->timing.decode_us += clv_now_us() - start;
    return status;
}

/* Write what goes to the peer, in the route's codec. The tensors themselves stay, to finish here if need be. */
static clv_status write_coded(clv_carry *c, clv_error *err)
{
    size_t n;
    clv_codec codec = c->d->route.codec[0];
    if (!clv_codec_index(codec)) return CLV_OK;
    int64_t start = clv_now_us();
    clv_tensor *in = clv_carry_gather(c, c->d->tail, &n);
    clv_status status = clv_coding_write(codec, in, n, &c->coded, err);
    c->r->timing.encode_us += clv_now_us() - start;
    free(in);
    return status;
}

/* Run a segment on this lane and count its time. */
static clv_status run_segment(clv_carry *c, clv_segment *segment, clv_tensors *out, clv_error *err)
{
    size_t n;
    clv_status unread = read_coded(c, segment, err);
    if (unread) return unread;
    clv_tensor *in = clv_carry_gather(c, segment, &n);
    int64_t start = clv_now_us();
    clv_status status = clv_segment_run(segment, in, n, out, err);
    c->r->timing.edge_us += clv_now_us() - start;
    free(in);
    return status;
}

/* Run the rest of the network here: from the request's inputs, or from the tensors that the head made. */
void clv_carry_run_rest(void *arg, int64_t queue_us)
{
    clv_carry *c = arg;
    c->r->timing.wait_us += queue_us;
    if (carry_late(c)) return;
    clv_tensors out = {0};
    clv_error err = {0};
    if (run_segment(c, c->run, &out, &err))
        clv_carry_fail(c, &err);
    else
        clv_carry_answer(c, &out);
    clv_tensors_done(&out);
}

void clv_carry_run_head(void *arg, int64_t queue_us)
{
    clv_carry *c = arg;
    c->r->timing.wait_us += queue_us;
    if (carry_late(c)) return;
    clv_error err = {0};
    if (c->d->head && run_segment(c, c->d->head, &c->made, &err))
        clv_carry_fail(c, &err);
    else if (write_coded(c, &err))
        clv_carry_recover(c, &err);
    else
        clv_carry_ask_peer(c);
}
