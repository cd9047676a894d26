/* What codecs take and save: every codec on tensors like those behind a ReLU, each way, beside
 * memcpy of the same bytes.
 *
 *     codec_bench [SECONDS]
 *
 * GB/s are of the tensor's own bytes (float32), on one core, by this thread's processor time. Maps
 * are smoothed noise with a bias for each channel, cut off at zero: about half is zero, neighbours
 * are alike. The three sizes: little beside a call, inside the cache of a core, outside it. Codecs
 * without a packer are also timed on the slower paths that this processor has. SECONDS bounds what
 * one row may take (0.3).
 */
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "bench.h"
#include "tensor/codec.h"

#include <string.h>
#include <time.h>

enum { ROUNDS_MAX = 501, ROUNDS_MIN = 5, WARM_ROUNDS = 2, RUN_BYTES = 1 << 20 };

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static clv_tensor maps(int channels, int side)
{
    clv_error err = {0};
    clv_tensor t;
    clv_rng r = clv_rng_seeded((uint64_t)side);
    bench_check(clv_tensor_new(&t, "maps", CLV_F32, clv_shape_of(4, 1, channels, side, side), &err),
                &err);
    size_t plane = (size_t)side * (size_t)side, row = (size_t)side;
    CLV_AUTO(clv_free) double *noise = clv_alloc_array(plane + row + 2, sizeof *noise);
    for (size_t c = 0; c < (size_t)channels; c++) {
        double bias = 0.3 * clv_rng_normal(&r), scale = 0.5 + clv_rng_unit(&r);
        for (size_t i = 0; i < plane + row + 2; i++) noise[i] = clv_rng_normal(&r);
        for (size_t i = 0; i < plane; i++) {
            double sum = noise[i] + noise[i + 1] + noise[i + row] + noise[i + row + 1];
            double v = scale * (sum / 2 + bias);
            ((float *)t.data)[c * plane + i] = v > 0 ? (float)v : 0;
        }
    }
    return t;
}

typedef struct timed {
    double copy_s, encode_s, decode_s;
    size_t bytes;
} timed;

/* One turn of each; small tensors several times over. */
static void turn(size_t path, clv_codec c, const clv_tensor *t, void *copy, timed *out)
{
    clv_error err = {0};
    size_t runs = RUN_BYTES / t->bytes + 1;
    clv_tensor e = {0}, back = {0};
    double start = cpu_s();
    for (size_t i = 0; i < runs; i++) {
        memcpy(copy, t->data, t->bytes);
        __asm__ volatile("" : : "r"(copy) : "memory"); /* it is wanted */
    }
    out->copy_s = (cpu_s() - start) / (double)runs;
    start = cpu_s();
    for (size_t i = 0; i < runs; i++) {
        clv_tensor_done(&e);
        bench_check(clv_codec_encode_by(path, c, t, &e, &err), &err);
    }
    out->encode_s = (cpu_s() - start) / (double)runs;
    start = cpu_s();
    for (size_t i = 0; i < runs; i++) {
        clv_tensor_done(&back);
        bench_check(clv_codec_decode_by(path, &e, &back, &err), &err);
    }
    out->decode_s = (cpu_s() - start) / (double)runs;
    out->bytes = e.bytes;
    clv_tensor_done(&e);
    clv_tensor_done(&back);
}

static void row(double seconds, size_t path, clv_codec c, const clv_tensor *t)
{
    static double copy[ROUNDS_MAX], encode[ROUNDS_MAX], decode[ROUNDS_MAX];
    void *to = clv_try_alloc(t->bytes);
    bench_need(to, "out of memory");
    timed last;
    size_t n = 0;
    for (int i = 0; i < WARM_ROUNDS; i++) turn(path, c, t, to, &last);
    for (double start = cpu_s(); n < ROUNDS_MAX; n++) {
        if (n >= ROUNDS_MIN && cpu_s() - start > seconds) break;
        turn(path, c, t, to, &last);
        copy[n] = last.copy_s;
        encode[n] = last.encode_s;
        decode[n] = last.decode_s;
    }
    free(to);
    double copy_s = clv_median(copy, n), encode_s = clv_median(encode, n);
    double decode_s = clv_median(decode, n), gb = 1e-9 * (double)t->bytes;
    bench_row(json_pack("{s:s, s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "codec",
                        clv_codec_show(c).s, "path", clv_codec_path_name(path), "bytes",
                        (json_int_t)t->bytes, "smaller", (double)t->bytes / (double)last.bytes,
                        "encode_gb_per_s", gb / encode_s, "decode_gb_per_s", gb / decode_s,
                        "memcpy_gb_per_s", gb / copy_s, "encode_ratio", copy_s / encode_s,
                        "decode_ratio", copy_s / decode_s));
}

int main(int argc, char **argv)
{
    static const int sizes[][2] = {{16, 7}, {64, 56}, {64, 112}};
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.3;
    bench_need(seconds > 0, "usage: codec_bench [SECONDS]");
    bench_pin(0);
    size_t best = clv_codec_paths() - 1;
    for (size_t s = 0; s < CLV_COUNT(sizes); s++) {
        clv_tensor t = maps(sizes[s][0], sizes[s][1]);
        for (size_t i = 0; i < CLV_CODECS; i++) {
            clv_codec c = clv_codec_at(i);
            bool slower_too = s == 1 && c.pack == CLV_PACK_NONE && c.quant != CLV_QUANT_RAW;
            for (size_t path = slower_too ? 0 : best; path <= best; path++)
                row(seconds, path, c, &t);
        }
        clv_tensor_done(&t);
    }
    return 0;
}
