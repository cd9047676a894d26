#include "split/route.h"

#include "base/buf.h"
clv_route clv_route_local(size_t last)
{
    return (clv_route){.n = 1, .cut = {last}};
}

clv_route clv_route_at(size_t cut, clv_codec codec, size_t last)
{
    if (cut == last) return clv_route_local(last);
    return (clv_route){.n = 2, .cut = {cut, last}, .codec = {codec}};
}

clv_route clv_route_of(const clv_plan_chain *chain, const clv_codec *codecs, size_t last)
{
    clv_route r = {0};
    while (r.n < CLV_PLAN_DEVICES_MAX) {
        r.cut[r.n] = (size_t)chain->cut[r.n];
        if (r.cut[r.n++] == last) break;
        if (r.n < CLV_PLAN_DEVICES_MAX) r.codec[r.n - 1] = codecs[chain->codec[r.n - 1]];
    }
    return r;
}

static bool same_codec(clv_codec a, clv_codec b)
{
    return a.quant == b.quant && a.pack == b.pack;
}

bool clv_route_equal(const clv_route *a, const clv_route *b)
{
    bool same = a->n == b->n && a->way == b->way;
    for (size_t k = 0; k < a->n && same; k++) same = a->cut[k] == b->cut[k];
    for (size_t k = 0; k + 1 < a->n && same; k++) same = same_codec(a->codec[k], b->codec[k]);
    return same;
}

static void put_hop(clv_buf *out, const clv_route *r, size_t k, const clv_cuts *cuts,
                    const clv_graph *g)
{
    CLV_AUTO(clv_text_free) char *label = clv_cut_label(cuts, g, r->cut[k]);
    clv_codec c = r->codec[k];
    clv_buf_printf(out, "%s%s", k ? " > " : "", r->cut[k] ? label : "remote");
    if (clv_codec_index(c)) clv_buf_printf(out, " %s", clv_codec_show(c).s);
}

char *clv_route_label(const clv_route *r, const clv_cuts *cuts, const clv_graph *g)
{
    clv_buf out = {0};
    if (r->n < 2) clv_buf_text(&out, "local");
    for (size_t k = 0; k + 1 < r->n; k++) put_hop(&out, r, k, cuts, g);
    return clv_buf_take(&out);
}
