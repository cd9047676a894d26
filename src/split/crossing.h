/* What crossed a link for a request: in which codec, how many bytes the tensors were and what they
 * were written as. A node tells it with its answer, first of its own hop, then what its peer told
 * of those behind. A value, bounded; for people and records only: nothing is planned by it.
 *
 *     clv_crossing here = clv_crossing_of(tensors, n);            // as they go into the message
 *     here.up_bytes = message_bytes, here.down_bytes = answer_bytes;
 *     clv_crossings all = clv_crossings_of(&here, &answer.crossed);
 *     char *text = clv_crossings_text(&all); // "q8+zstd,3136,468,702,233;raw,80,80,301,233"
 *
 * As text: for each hop the codec, then the bytes of CLV_CROSSING_MAP in this order, joined by
 * commas; hops by semicolons. The codec is what the encodings themselves say, not what the plan
 * wanted: values without a scale go raw, say. Tensors that were written differently: all codecs in
 * order of appearance, joined by '/'. Limits: a hop less than CLV_PLAN_DEVICES_MAX,
 * CLV_CROSSING_BYTES_MAX, CLV_CROSSING_CODEC_MAX.
 *
 * Pure functions. Threads: any.
 */
#ifndef CLV_SPLIT_CROSSING_H
#define CLV_SPLIT_CROSSING_H

#include "plan/problem.h"
#include "tensor/tensor.h"

#define CLV_CROSSING_MAP(X)                                                                        \
    X(tensor_bytes, "of the tensors as the segments have them")                                    \
    X(coded_bytes, "of what they were written as")                                                 \
    X(up_bytes, "of the message that they were in")                                                \
    X(down_bytes, "of the answer")

enum { CLV_CROSSING_CODEC_MAX = 48, CLV_CROSSINGS_MAX = CLV_PLAN_DEVICES_MAX - 1 };
enum { CLV_CROSSINGS_TEXT_MAX = 1024 };
#define CLV_CROSSING_BYTES_MAX (INT64_C(1) << 50)

typedef struct clv_crossing {
    char codec[CLV_CROSSING_CODEC_MAX]; /* "raw", "q8+zstd", "q8/raw"; never empty in a list */
#define X(name, about) int64_t name;
    CLV_CROSSING_MAP(X)
#undef X
} clv_crossing;

typedef struct clv_crossings {
    clv_crossing hops[CLV_CROSSINGS_MAX];
    size_t n;
} clv_crossings;

/* Of plain and coded tensors; the message's bytes are the caller's to add. An encoding without a
 * sound head counts as "?". */
clv_crossing clv_crossing_of(const clv_tensor *tensors, size_t n);
/* A hop, then those of `behind`, as far as there is room. */
clv_crossings clv_crossings_of(const clv_crossing *first, const clv_crossings *behind);
/* Heap text; "" for none. */
char *clv_crossings_text(const clv_crossings *c);
/* CLV_EINVAL: not such a text; CLV_ELIMIT: too many hops, too many bytes, a codec's name too long. */
CLV_MUST
clv_status clv_crossings_parse(const char *text, clv_crossings *out, clv_error *err);

#endif
