/* Pictures as a network sees them: PNG and JPEG files into float planes.
 *
 *     clv_image image;
 *     clv_image_read("cat.jpg", &image, &err);
 *     clv_image_fit fit = clv_image_fit_imagenet(3, 224, 224);
 *     float *planes = ...;                            // 3 * 224 * 224
 *     clv_image_planes(&image, &fit, planes);
 *     clv_image_done(&image);
 *
 * What is done, and why it looks like what networks were trained on:
 * - The picture is scaled until it just covers width x height, and its centre is cut out. So the
 *   whole shorter side is seen (torchvision's usual 256-then-224 throws an eighth of it away).
 * - Scaling is bilinear with the triangle stretched when shrinking (antialiasing), as Pillow does
 *   it, but without rounding to bytes between the two passes.
 * - Values are divided by 255, then (value - mean) / std for each channel.
 * - One channel is the luma of BT.601, as Pillow's "L". Transparent parts are shown over white.
 *   EXIF orientation is ignored.
 *
 * Files come from anywhere: their kind is told by their first bytes, never by their name, and the
 * limits below are checked before memory is taken. Threads: any, nothing is shared. */
#ifndef CLV_CLI_IMAGE_H
#define CLV_CLI_IMAGE_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CLV_IMAGE_SIDE_MAX = 16384,      /* pixels */
    CLV_IMAGE_PIXELS_MAX = 64 << 20, /* width * height */
    CLV_IMAGE_FILE_MAX = 64 << 20,   /* bytes */
    CLV_IMAGE_SCANS_MAX = 200, /* of a progressive JPEG: small files can ask for years of work */
    CLV_IMAGE_CHANNELS_MAX = 3,
};

typedef struct clv_image {
    int width, height;
    uint8_t *rgb; /* owned; height * width * 3, sRGB */
} clv_image;

/* CLV_EINVAL: truncated or damaged. CLV_EUNSUPPORTED: neither PNG nor JPEG, or a CMYK JPEG.
 * CLV_ELIMIT: too large. */
CLV_MUST
clv_status clv_image_decode(const void *bytes, size_t n, clv_image *out, clv_error *err);
/* As above, from a file; errors name it. */
CLV_MUST
clv_status clv_image_read(const char *path, clv_image *out, clv_error *err);
void clv_image_done(clv_image *image); /* NULL and zeroed ones are fine */

typedef struct clv_image_fit {
    int channels; /* 1 or 3 */
    int height, width;
    bool channels_last; /* [H,W,C] instead of [C,H,W] */
    float mean[CLV_IMAGE_CHANNELS_MAX], std[CLV_IMAGE_CHANNELS_MAX]; /* of values in 0..1 */
} clv_image_fit;

/* The usual mean and deviation: ImageNet's for three channels, 0 and 1 for one. */
clv_image_fit clv_image_fit_imagenet(int channels, int height, int width);
/* Fill channels * height * width values. */
void clv_image_planes(const clv_image *image, const clv_image_fit *fit, float *out);

#endif
