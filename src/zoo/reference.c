#include "zoo/reference.h"
#include "zoo/random_priv.h"

static clv_spot conv(clv_draft *d, clv_spot x, int64_t out, int kernel, int stride)
{
    return clv_draft_conv(
        d, x, (clv_filter){.out = out, .kh = kernel, .kw = kernel, .stride = stride, .relu = true});
}

static clv_spot depthwise(clv_draft *d, clv_spot x, int stride)
{
    return clv_draft_conv(
        d, x,
        (clv_filter){.out = x.c, .kh = 3, .kw = 3, .stride = stride, .groups = x.c, .relu6 = true});
}

void clv_reference_network(clv_buf *out)
{
    clv_draft d = {.graph = clv_proto_graph("reference"), .rng = clv_rng_seeded(1)};
    clv_spot x = conv(&d, clv_draft_input(&d, 3, 112, 112), 32, 3, 2);
    x = conv(&d, depthwise(&d, conv(&d, x, 96, 1, 1), 2), 64, 1, 1);
    clv_spot y = conv(&d, conv(&d, x, 64, 3, 1), 64, 3, 1);
    x = clv_draft_unary(&d, "Relu", clv_draft_binary(&d, "Add", x, y));
    x = conv(&d, clv_draft_pool(&d, "MaxPool", x, 3, 2, 1), 128, 3, 1);
    x = conv(&d, x, 128, 3, 1);
    x = clv_draft_flatten(&d, clv_draft_pool(&d, "GlobalAveragePool", x, 0, 0, 0));
    x = clv_draft_gemm(&d, x, 100, false);
    clv_proto_output(d.graph, x.name, CLV_F32, (clv_shape){.rank = -1});
    clv_proto_pack(d.graph, out);
    clv_proto_free(d.graph);
}
