#include "cli/codec_report.h"

#include "base/unit.h"
#include "cli/table.h"
#include "tensor/codec.h"

#include <math.h>

static bool known_at(const clv_profile_codec *c, size_t cut)
{
    return c->cut_bytes[cut] > 0;
}

/* Coded bytes of all cuts that are known, and the raw bytes of these. */
static double share_of(const clv_profile *p, const clv_profile_codec *c)
{
    double coded = 0, raw = 0;
    for (size_t k = 0; k < p->n_cuts; k++) {
        if (!known_at(c, k)) continue;
        coded += c->cut_bytes[k];
        raw += (double)p->cuts[k].up_bytes;
    }
    return raw > 0 ? coded / raw : 0;
}

static double worst_drop(const clv_profile *p, const clv_profile_codec *c)
{
    double worst = 0;
    for (size_t k = 0; k < p->n_cuts; k++)
        if (known_at(c, k)) worst = fmax(worst, c->cut_drop[k]);
    return worst;
}

static void speed_cell(clv_table *t, double us_per_mb)
{
    if (us_per_mb > 0)
        clv_table_cell(t, "%.0f MB/s", 1e6 / us_per_mb);
    else
        clv_table_cell(t, "-");
}

static void print_speeds(const clv_profile *p, FILE *out)
{
    static const clv_column columns[] = {{"codec", CLV_LEFT},
                                         {"write", CLV_RIGHT},
                                         {"read", CLV_RIGHT},
                                         {"bytes", CLV_RIGHT},
                                         {"right answers lost at most", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < p->n_codecs; i++) {
        const clv_profile_codec *c = &p->codecs[i];
        double share = share_of(p, c);
        clv_table_cell(t, "%s", c->name);
        speed_cell(t, c->encode_us_per_mb);
        speed_cell(t, c->decode_us_per_mb);
        if (share > 0)
            clv_table_cell(t, "%.1f %%", 100 * share);
        else
            clv_table_cell(t, "-");
        if (c->cut_drop)
            clv_table_cell(t, "%.2f points", 100 * worst_drop(p, c));
        else
            clv_table_cell(t, share > 0 ? "-" : "not known without --data");
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

/* Bytes, and the accuracy behind it where it is a measured one. */
static void cut_cell(clv_table *t, const clv_profile *p, const char *codec, size_t cut)
{
    const clv_profile_codec *c = clv_profile_codec_find(p, codec);
    if (!c || !known_at(c, cut))
        clv_table_cell(t, "-");
    else if (c->cut_accuracy)
        clv_table_cell(t, "%.0f (%.2f)", c->cut_bytes[cut], 100 * c->cut_accuracy[cut]);
    else
        clv_table_cell(t, "%.0f", c->cut_bytes[cut]);
}

/* The columns of the second table. */
static const char *const shown[] = {"raw+zstd", "f16+zstd", "q8+zstd", "q8c+zstd", "q4+zstd"};

static void print_cuts(const clv_profile *p, FILE *out)
{
    clv_column columns[2 + CLV_COUNT(shown)] = {{"cut", CLV_LEFT}, {"raw", CLV_RIGHT}};
    for (size_t k = 0; k < CLV_COUNT(shown); k++)
        columns[2 + k] = (clv_column){shown[k], CLV_RIGHT};
    fprintf(out,
            "\nbytes at each cut and accuracy behind it in %%, on %d samples of %s; uncut %.2f\n\n",
            p->samples, p->data, 100 * p->accuracy);
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    size_t left_out = 0;
    for (size_t k = 0; k + 1 < p->n_cuts; k++) {
        const clv_profile_codec *zstd = clv_profile_codec_find(p, "raw+zstd");
        if (p->cuts[k].n_live != 1 || !zstd || !known_at(zstd, k)) {
            left_out++;
            continue;
        }
        clv_table_cell(t, "%s", p->cuts[k].label);
        clv_table_cell(t, "%zu", p->cuts[k].up_bytes);
        for (size_t i = 0; i < CLV_COUNT(shown); i++) cut_cell(t, p, shown[i], k);
    }
    clv_table_print(t, out);
    clv_table_free(t);
    if (left_out)
        fprintf(out, "%zu cuts of several tensors or without data are not shown\n", left_out);
}

void clv_codec_print(const clv_profile *p, FILE *out)
{
    if (p->n_codecs == 0) return;
    fputc('\n', out);
    print_speeds(p, out);
    if (p->samples > 0) print_cuts(p, out);
}

static void add_row(clv_buf *out, const clv_profile *p, size_t cut, const char *codec, double bytes,
                    const double *accuracy, const double *drop)
{
    clv_buf_printf(out, "%zu,\"", cut);
    for (const char *c = p->cuts[cut].label; *c; c++) {
        if (*c == '"') clv_buf_char(out, '"');
        clv_buf_char(out, *c);
    }
    clv_buf_printf(out, "\",%s,%zu,%.1f,", codec, p->cuts[cut].up_bytes, bytes);
    if (accuracy) clv_buf_printf(out, "%.6f", *accuracy);
    clv_buf_char(out, ',');
    if (drop) clv_buf_printf(out, "%.6f", *drop);
    clv_buf_char(out, '\n');
}

void clv_codec_csv(clv_buf *out, const clv_profile *p)
{
    static const double nothing = 0;
    clv_buf_text(out, "cut,label,codec,raw_bytes,bytes,accuracy,drop\n");
    for (size_t k = 0; k + 1 < p->n_cuts; k++) {
        bool data = p->samples > 0;
        add_row(out, p, k, "raw", (double)p->cuts[k].up_bytes, data ? &p->accuracy : NULL,
                data ? &nothing : NULL);
        for (size_t i = 0; i < p->n_codecs; i++) {
            const clv_profile_codec *c = &p->codecs[i];
            clv_codec codec;
            if (!known_at(c, k)) continue;
            bool lossless =
                clv_codec_parse(c->name, &codec, NULL) == CLV_OK && !clv_codec_lossy(codec);
            const double *accuracy = c->cut_accuracy ? &c->cut_accuracy[k] : NULL;
            const double *drop = c->cut_drop ? &c->cut_drop[k] : NULL;
            if (data && lossless) {
                accuracy = &p->accuracy;
                drop = &nothing;
            }
            add_row(out, p, k, c->name, c->cut_bytes[k], accuracy, drop);
        }
    }
}
