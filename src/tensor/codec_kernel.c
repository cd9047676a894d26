#include "tensor/codec_kernel.h"

#include "base/mem.h"
#include "tensor/codec.h"

#include <math.h>

const clv_codec_range clv_codec_no_range = {INFINITY, -INFINITY, 0};

static const clv_codec_kernel *const kernels[] = {
    &clv_codec_scalar,
#if defined(__x86_64__)
    &clv_codec_avx2,
    &clv_codec_avx512,
#elif defined(__aarch64__)
    &clv_codec_neon,
#endif
};

const clv_codec_kernel *clv_codec_kernel_at(size_t path)
{
    for (size_t i = 0; i < CLV_COUNT(kernels); i++)
        if (kernels[i]->present() && path-- == 0) return kernels[i];
    return NULL;
}

size_t clv_codec_paths(void)
{
    size_t n = 0;
    while (clv_codec_kernel_at(n)) n++;
    return n;
}

const char *clv_codec_path_name(size_t path)
{
    const clv_codec_kernel *k = clv_codec_kernel_at(path);
    return k ? k->name : NULL;
}
