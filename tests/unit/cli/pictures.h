/* PNG and JPEG files made in memory, for tests. */
#ifndef CLV_TESTS_PICTURES_H
#define CLV_TESTS_PICTURES_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <png.h>

/* `format` is one of PNG_FORMAT_*; 8 bits a channel. */
static inline clv_buf png_of(int width, int height, int format, const unsigned char *pixels)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = (png_uint_32)format};
    png_alloc_size_t n = 0;
    if (!png_image_write_to_memory(&image, NULL, &n, 0, pixels, 0, NULL)) abort();
    clv_buf out = {0};
    clv_buf_reserve(&out, n);
    if (!png_image_write_to_memory(&image, out.data, &n, 0, pixels, 0, NULL)) abort();
    out.len = n;
    return out;
}

/* `space` is JCS_RGB, JCS_GRAYSCALE or JCS_CMYK. */
static inline clv_buf jpeg_with(int width, int height, J_COLOR_SPACE space,
                                const unsigned char *pixels, bool progressive)
{
    struct jpeg_error_mgr manager;
    struct jpeg_compress_struct c = {.err = jpeg_std_error(&manager)};
    int channels = space == JCS_CMYK ? 4 : space == JCS_RGB ? 3 : 1;
    unsigned char *data = NULL;
    unsigned long n = 0;
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &data, &n);
    c.image_width = (JDIMENSION)width;
    c.image_height = (JDIMENSION)height;
    c.input_components = channels;
    c.in_color_space = space;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 100, TRUE);
    if (progressive) jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < height; y++) {
        unsigned char line[4096];
        for (int i = 0; i < width * channels; i++) line[i] = pixels[y * width * channels + i];
        JSAMPROW row = line;
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    clv_buf out = {0};
    clv_buf_add(&out, data, n);
    free(data);
    return out;
}

static inline clv_buf jpeg_of(int width, int height, J_COLOR_SPACE space,
                              const unsigned char *pixels)
{
    return jpeg_with(width, height, space, pixels, false);
}

#endif
