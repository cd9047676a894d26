#include "cli/image.h"
#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RGB = 3 };

void clv_image_done(clv_image *image)
{
    if (!image) return;
    free(image->rgb);
    *image = (clv_image){0};
}

clv_status clv_image_read(const char *path, clv_image *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf file = {0};
    clv_status st = clv_file_read(path, CLV_IMAGE_FILE_MAX, &file, err);
    if (st) return st; /* names the file already */
    if (clv_image_decode(file.data, file.len, out, err)) return clv_within(err, "%s", path);
    return CLV_OK;
}

clv_image_fit clv_image_fit_imagenet(int channels, int height, int width)
{
    clv_image_fit fit = {.channels = channels,
                         .height = height,
                         .width = width,
                         .mean = {0.485f, 0.456f, 0.406f},
                         .std = {0.229f, 0.224f, 0.225f}};
    if (channels == 1) {
        fit.mean[0] = 0;
        fit.std[0] = 1;
    }
    return fit;
}

/* One axis: the picture's `from` pixels are scaled to `to`, of which `n` from `skip` on are wanted.
 */
typedef struct axis {
    int from, to, n, skip;
    int reach;      /* pixels that one result may need */
    float *weights; /* of the current result */
} axis;

static axis axis_of(int from, double scale, int n)
{
    axis a = {.from = from, .n = n, .to = (int)fmin(INT32_MAX, fmax(n, round(from * scale)))};
    a.skip = (a.to - n) / 2;
    double ratio = (double)from / a.to;
    a.reach = CLV_MIN(from, (int)ceil(2 * fmax(1, ratio)) + 2);
    a.weights = clv_alloc_array((size_t)a.reach, sizeof *a.weights);
    return a;
}

/* The pixels [*first, *first + return) and their weights, which add up to 1, for result `i`. */
static int axis_at(axis *a, int i, int *first)
{
    double ratio = (double)a->from / a->to, support = fmax(1, ratio);
    double centre = ((double)a->skip + i + 0.5) * ratio;
    int low = (int)fmax(0, floor(centre - support + 0.5));
    int high = (int)fmin(a->from, floor(centre + support + 0.5));
    if (low >= a->from) low = a->from - 1;
    if (high <= low) high = low + 1;
    int count = CLV_MIN(high - low, a->reach);
    double sum = 0;
    for (int k = 0; k < count; k++) {
        double away = fabs((low + k + 0.5 - centre) / support);
        a->weights[k] = (float)fmax(0, 1 - away);
        sum += a->weights[k];
    }
    if (sum <= 0) {
        a->weights[0] = 1;
        sum = 1;
    }
    for (int k = 0; k < count; k++) a->weights[k] = (float)(a->weights[k] / sum);
    *first = low;
    return count;
}

/* The weighted sum of `count` rows of the picture, as floats. */
static void blend_rows(const clv_image *image, const axis *rows, int first, int count, float *line)
{
    size_t n = (size_t)image->width * RGB;
    for (size_t x = 0; x < n; x++) line[x] = 0;
    for (int k = 0; k < count; k++) {
        const uint8_t *row = image->rgb + (size_t)(first + k) * n;
        float weight = rows->weights[k];
        for (size_t x = 0; x < n; x++) line[x] += weight * row[x];
    }
}

static void put_pixel(const clv_image_fit *fit, const float *rgb, size_t at, float *out)
{
    float luma = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
    size_t plane = (size_t)fit->height * (size_t)fit->width;
    for (int c = 0; c < fit->channels; c++) {
        float value = (fit->channels == 1 ? luma : rgb[c]) / 255;
        size_t to =
            fit->channels_last ? at * (size_t)fit->channels + (size_t)c : (size_t)c * plane + at;
        out[to] = (value - fit->mean[c]) / fit->std[c];
    }
}

void clv_image_planes(const clv_image *image, const clv_image_fit *fit, float *out)
{
    double scale = fmax((double)fit->width / image->width, (double)fit->height / image->height);
    axis rows = axis_of(image->height, scale, fit->height);
    axis columns = axis_of(image->width, scale, fit->width);
    CLV_AUTO(clv_free) float *line = clv_alloc_array((size_t)image->width * RGB, sizeof *line);
    for (int y = 0; y < fit->height; y++) {
        int first;
        int count = axis_at(&rows, y, &first);
        blend_rows(image, &rows, first, count, line);
        for (int x = 0; x < fit->width; x++) {
            float rgb[RGB] = {0};
            int n = axis_at(&columns, x, &first);
            for (int k = 0; k < n; k++)
                for (int c = 0; c < RGB; c++)
                    rgb[c] += columns.weights[k] * line[(size_t)(first + k) * RGB + (size_t)c];
            put_pixel(fit, rgb, (size_t)y * (size_t)fit->width + (size_t)x, out);
        }
    }
    free(rows.weights);
    free(columns.weights);
}
