#include "base/file.h"
#include "cli/image.h"
#include "pictures.h"
#include "unit.h"

#include <math.h>
#include <string.h>

#define assert_near(a, b, tolerance) assert_true(fabs((double)(a) - (double)(b)) <= (tolerance))

static clv_image decoded(clv_buf file)
{
    clv_error err = {0};
    clv_image image = {0};
    assert_ok(clv_image_decode(file.data, file.len, &image, &err), err);
    clv_buf_done(&file);
    return image;
}

static void a_png_keeps_its_pixels(void **state)
{
    (void)state;
    const unsigned char rgb[] = {255, 0,  0,  0, 255, 0, 0,   0,   255,
                                 10,  20, 30, 1, 2,   3, 250, 251, 252};
    clv_image image = decoded(png_of(3, 2, PNG_FORMAT_RGB, rgb));
    assert_true(image.width == 3 && image.height == 2);
    assert_memory_equal(image.rgb, rgb, sizeof rgb);
    clv_image_done(&image);
    clv_image_done(&image);
}

static void grey_and_transparent_pngs_become_rgb(void **state)
{
    (void)state;
    const unsigned char grey[] = {7, 200};
    clv_image image = decoded(png_of(2, 1, PNG_FORMAT_GRAY, grey));
    assert_memory_equal(image.rgb, ((unsigned char[]){7, 7, 7, 200, 200, 200}), 6);
    clv_image_done(&image);
    const unsigned char rgba[] = {9, 8, 7, 255, 9, 8, 7, 0}; /* opaque, then transparent */
    image = decoded(png_of(2, 1, PNG_FORMAT_RGBA, rgba));
    assert_memory_equal(image.rgb, ((unsigned char[]){9, 8, 7, 255, 255, 255}), 6);
    clv_image_done(&image);
}

static void a_jpeg_is_close_to_its_pixels(void **state)
{
    (void)state;
    unsigned char rgb[16 * 8 * 3];
    for (int i = 0; i < 16 * 8; i++)
        for (int c = 0; c < 3; c++) rgb[3 * i + c] = (unsigned char)(60 + 50 * c);
    clv_image image = decoded(jpeg_of(16, 8, JCS_RGB, rgb));
    assert_true(image.width == 16 && image.height == 8);
    for (size_t i = 0; i < sizeof rgb; i++) assert_near(image.rgb[i], rgb[i], 2);
    clv_image_done(&image);
    image = decoded(jpeg_of(16, 8, JCS_GRAYSCALE, rgb)); /* the first 128 bytes as grey */
    for (int c = 0; c < 3; c++) assert_near(image.rgb[c], 60 + 50 * 0, 20);
    assert_true(image.rgb[0] == image.rgb[1] && image.rgb[1] == image.rgb[2]);
    clv_image_done(&image);
}

static clv_status status_of(const void *bytes, size_t n, clv_error *err)
{
    clv_image image = {0};
    clv_status st = clv_image_decode(bytes, n, &image, err);
    if (st) assert_null(image.rgb);
    clv_image_done(&image);
    return st;
}

/* Every truncation is an error: never half a picture filled with grey. */
static void truncated_files_are_errors(void **state)
{
    (void)state;
    unsigned char rgb[32 * 32 * 3];
    for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = (unsigned char)(i * 37 + i / 96 * 11);
    clv_buf files[] = {png_of(32, 32, PNG_FORMAT_RGB, rgb), jpeg_of(32, 32, JCS_RGB, rgb)};
    for (size_t f = 0; f < 2; f++) {
        clv_error err = {0};
        assert_int_equal(status_of(files[f].data, files[f].len, &err), CLV_OK);
        /* A PNG whose pixels are complete may lack its last, empty chunk of 12 bytes. */
        size_t needed = files[f].len - (f == 0 ? 12 : 2);
        for (size_t n = 0; n < needed; n += n < 400 ? 1 : 53)
            assert_int_not_equal(status_of(files[f].data, n, &err), CLV_OK);
        assert_int_equal(status_of(files[f].data, files[f].len / 2, &err), CLV_EINVAL);
        assert_non_null(strstr(err.text, f == 0 ? "unreadable PNG" : "unreadable JPEG"));
        clv_buf_done(&files[f]);
    }
}

static void put_u32(char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (char)(value >> (24 - 8 * i));
}

/* The size in a PNG's header, with its checksum made right again. */
static void set_png_size(clv_buf *png, uint32_t width, uint32_t height)
{
    put_u32(png->data + 16, width);
    put_u32(png->data + 20, height);
    uint32_t crc = 0xffffffffu;
    for (int i = 12; i < 29; i++) {
        crc ^= (unsigned char)png->data[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    put_u32(png->data + 29, ~crc);
}

static void huge_dimensions_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    const unsigned char rgb[3] = {0};
    clv_buf png = png_of(1, 1, PNG_FORMAT_RGB, rgb);
    clv_error err = {0};
    set_png_size(&png, CLV_IMAGE_SIDE_MAX + 1, 1);
    assert_int_equal(status_of(png.data, png.len, &err), CLV_ELIMIT);
    assert_non_null(strstr(err.text, "16385 x 1 pixels"));
    set_png_size(&png, 8192, 8193);
    assert_int_equal(status_of(png.data, png.len, &err), CLV_ELIMIT);
    set_png_size(&png, CLV_IMAGE_SIDE_MAX, 1); /* at the limit: read, but the data are too short */
    assert_int_equal(status_of(png.data, png.len, &err), CLV_EINVAL);
    clv_buf_done(&png);
    clv_buf jpeg = jpeg_of(1, 1, JCS_RGB, rgb);
    for (size_t i = 0; i + 9 < jpeg.len; i++)
        if ((unsigned char)jpeg.data[i] == 0xff && (unsigned char)jpeg.data[i + 1] == 0xc0)
            memset(jpeg.data + i + 5, 0xf0, 4); /* height and width of the frame header */
    assert_int_equal(status_of(jpeg.data, jpeg.len, &err), CLV_ELIMIT);
    assert_non_null(strstr(err.text, "61680 x 61680"));
    clv_buf_done(&jpeg);
}

/* The last scan of a progressive JPEG, repeated: a small file that would take ever longer. */
static void endless_scans_are_refused(void **state)
{
    (void)state;
    unsigned char grey[16 * 16];
    for (int i = 0; i < 256; i++) grey[i] = (unsigned char)(i * 91);
    clv_buf jpeg = jpeg_with(16, 16, JCS_GRAYSCALE, grey, true), many = {0};
    size_t scan = jpeg.len - 2; /* the end marker is not repeated */
    while ((unsigned char)jpeg.data[scan] != 0xff || (unsigned char)jpeg.data[scan + 1] != 0xda)
        scan--;
    clv_error err = {0};
    assert_int_equal(status_of(jpeg.data, jpeg.len, &err), CLV_OK);
    clv_buf_add(&many, jpeg.data, jpeg.len - 2);
    for (int i = 0; i < CLV_IMAGE_SCANS_MAX; i++)
        clv_buf_add(&many, jpeg.data + scan, jpeg.len - 2 - scan);
    clv_buf_add(&many, jpeg.data + jpeg.len - 2, 2);
    assert_int_equal(status_of(many.data, many.len, &err), CLV_ELIMIT);
    assert_string_equal(err.text, "JPEG of more than 200 scans");
    clv_buf_done(&many);
    clv_buf_done(&jpeg);
}

static void other_files_are_told(void **state)
{
    (void)state;
    clv_error err = {0};
    assert_int_equal(status_of("GIF89a", 6, &err), CLV_EUNSUPPORTED);
    assert_string_equal(err.text, "neither a PNG nor a JPEG file");
    unsigned char cmyk[8 * 8 * 4] = {0};
    clv_buf file = jpeg_of(8, 8, JCS_CMYK, cmyk);
    assert_int_equal(status_of(file.data, file.len, &err), CLV_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "CMYK"));
    clv_buf_done(&file);
    clv_image image = {0};
    assert_int_equal(clv_image_read("/nowhere/cat.png", &image, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "/nowhere/cat.png"));
}

static void grey_row(clv_image *image, int width, int height, const unsigned char *values)
{
    *image = (clv_image){width, height, clv_alloc((size_t)width * (size_t)height * 3)};
    for (int i = 0; i < width * height * 3; i++) image->rgb[i] = values[i / 3 % width];
}

static clv_image_fit plain(int channels, int height, int width)
{
    return (clv_image_fit){
        .channels = channels, .height = height, .width = width, .std = {1, 1, 1}};
}

/* The values are those of Pillow's resize(BILINEAR) before rounding. */
static void shrinking_is_antialiased(void **state)
{
    (void)state;
    clv_image image;
    grey_row(&image, 4, 4, (const unsigned char[]){0, 40, 80, 120});
    clv_image_fit fit = plain(1, 2, 2);
    float out[4];
    clv_image_planes(&image, &fit, out);
    const double left = (0 * 0.75 + 40 * 0.75 + 80 * 0.25) / 1.75 / 255;
    const double right = (40 * 0.25 + 80 * 0.75 + 120 * 0.75) / 1.75 / 255;
    for (int y = 0; y < 2; y++) {
        assert_near(out[2 * y], left, 1e-6);
        assert_near(out[2 * y + 1], right, 1e-6);
    }
    clv_image_done(&image);
}

static void growing_is_bilinear(void **state)
{
    (void)state;
    clv_image image;
    grey_row(&image, 2, 2, (const unsigned char[]){0, 200});
    clv_image_fit fit = plain(1, 4, 4);
    float out[16];
    clv_image_planes(&image, &fit, out);
    const double wanted[] = {0, 50, 150, 200};
    for (int i = 0; i < 16; i++) assert_near(out[i] * 255, wanted[i % 4], 1e-3);
    clv_image_done(&image);
}

/* 8 x 2 cut to 2 x 2: the middle, nothing scaled. */
static void the_centre_is_cut_out(void **state)
{
    (void)state;
    clv_image image;
    grey_row(&image, 8, 2, (const unsigned char[]){1, 2, 3, 100, 200, 6, 7, 8});
    clv_image_fit fit = plain(1, 2, 2);
    float out[4];
    clv_image_planes(&image, &fit, out);
    const double wanted[] = {100, 200, 100, 200};
    for (int i = 0; i < 4; i++) assert_near(out[i] * 255, wanted[i], 1e-3);
    clv_image_done(&image);
}

static void channels_are_planes_normalised_by_mean_and_deviation(void **state)
{
    (void)state;
    unsigned char rgb[2 * 2 * 3];
    for (int i = 0; i < 12; i++) rgb[i] = (unsigned char)(i % 3 == 0 ? 255 : i % 3 == 1 ? 51 : 0);
    clv_image image = {2, 2, rgb};
    clv_image_fit fit = clv_image_fit_imagenet(3, 2, 2);
    float out[12];
    clv_image_planes(&image, &fit, out);
    for (int i = 0; i < 4; i++) {
        assert_near(out[i], (1 - 0.485) / 0.229, 1e-5);
        assert_near(out[4 + i], (0.2 - 0.456) / 0.224, 1e-5);
        assert_near(out[8 + i], (0 - 0.406) / 0.225, 1e-5);
    }
    fit.channels_last = true;
    clv_image_planes(&image, &fit, out);
    assert_near(out[3], (1 - 0.485) / 0.229, 1e-5);
    assert_near(out[4], (0.2 - 0.456) / 0.224, 1e-5);
    fit = clv_image_fit_imagenet(1, 2, 2);
    clv_image_planes(&image, &fit, out);
    assert_near(out[0], 0.299 + 0.587 * 0.2, 1e-5);
}

/* Extreme proportions: every result lies between the least and the greatest pixel. */
static void any_proportion_works(void **state)
{
    (void)state;
    static const int sizes[][4] = {{1, 1, 7, 5},   {1, 300, 9, 9}, {300, 1, 9, 9},
                                   {301, 7, 1, 1}, {5, 7, 64, 3},  {97, 89, 13, 11},
                                   {2, 3, 1, 50},  {1000, 2, 3, 2}};
    for (size_t k = 0; k < CLV_COUNT(sizes); k++) {
        clv_image image = {sizes[k][0], sizes[k][1], NULL};
        size_t n = (size_t)image.width * (size_t)image.height * 3;
        image.rgb = clv_alloc(n);
        for (size_t i = 0; i < n; i++) image.rgb[i] = (unsigned char)(100 + i * 31 % 50);
        clv_image_fit fit = plain(3, sizes[k][3], sizes[k][2]);
        float out[3 * 7 * 9 * 4];
        clv_image_planes(&image, &fit, out);
        for (int i = 0; i < 3 * fit.width * fit.height; i++)
            assert_true(out[i] * 255 >= 99.99f && out[i] * 255 <= 149.01f);
        clv_image_done(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_keeps_its_pixels),
        cmocka_unit_test(grey_and_transparent_pngs_become_rgb),
        cmocka_unit_test(a_jpeg_is_close_to_its_pixels),
        cmocka_unit_test(truncated_files_are_errors),
        cmocka_unit_test(huge_dimensions_are_refused_before_memory_is_taken),
        cmocka_unit_test(endless_scans_are_refused),
        cmocka_unit_test(other_files_are_told),
        cmocka_unit_test(shrinking_is_antialiased),
        cmocka_unit_test(growing_is_bilinear),
        cmocka_unit_test(the_centre_is_cut_out),
        cmocka_unit_test(channels_are_planes_normalised_by_mean_and_deviation),
        cmocka_unit_test(any_proportion_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
