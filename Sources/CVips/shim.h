#include <vips/vips.h>

// libvips takes its options as variadic arguments, which Swift cannot pass; these fix them.
//
// Loaders: from memory, rows in order, the first frame or page, and an error for any damage or missing byte.

#define GRAFT_VIPS_LOADER(format)                                                                              \
    static inline int graft_vips_load_##format(const void *bytes, size_t byteCount, VipsImage **image) {        \
        return vips_##format##load_buffer(                                                                     \
            (void *)bytes, byteCount, image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, \
            NULL);                                                                                             \
    }

GRAFT_VIPS_LOADER(jpeg)
GRAFT_VIPS_LOADER(png)
GRAFT_VIPS_LOADER(gif)
GRAFT_VIPS_LOADER(webp)
GRAFT_VIPS_LOADER(tiff)
GRAFT_VIPS_LOADER(heif)
GRAFT_VIPS_LOADER(jp2k)

#undef GRAFT_VIPS_LOADER

/// Whether this build of libvips has an operation, such as `heifload_buffer`.
static inline int graft_vips_has_operation(const char *name) { return vips_type_find("VipsOperation", name) != 0; }

/// 16 bits to 8 by leaving out the lower byte.
static inline int graft_vips_high_byte(VipsImage *image, VipsImage **result) {
    return vips_cast(image, result, VIPS_FORMAT_UCHAR, "shift", TRUE, NULL);
}

/// `scale · value + offset`, without its fraction, cut to 0…255 and 8 bits.
static inline int graft_vips_linear(VipsImage *image, double scale, double offset, VipsImage **result) {
    return vips_linear(image, result, &scale, &offset, 1, "uchar", TRUE, NULL);
}

/// Any colour space to 8-bit sRGB.
static inline int graft_vips_to_srgb(VipsImage *image, VipsImage **result) {
    return vips_colourspace(image, result, VIPS_INTERPRETATION_sRGB, NULL);
}

/// To 8-bit sRGB through the colour profile that the file carries, by the intent whose table every profile of inks has.
static inline int graft_vips_to_srgb_by_profile(VipsImage *image, VipsImage **result) {
    return vips_icc_transform(image, result, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_PERCEPTUAL, NULL);
}

/// 8-bit grey or sRGB pixels, rows from the top, as an image; NULL where there is no memory.
static inline VipsImage *graft_vips_image(const void *pixels, int width, int height, int channels) {
    const size_t pixelByteCount = (size_t)width * (size_t)height * (size_t)channels;
    VipsImage *memory = vips_image_new_from_memory(pixels, pixelByteCount, width, height, channels, VIPS_FORMAT_UCHAR);
    if (!memory) return NULL;
    VipsImage *image = NULL;
    const VipsInterpretation colours = channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    vips_copy(memory, &image, "interpretation", colours, NULL);
    g_object_unref(memory);
    return image;
}

/// 8-bit grey or sRGB pixels as the bytes of a PNG file, which are to be given to `graft_vips_free`.
static inline int graft_vips_save_png(
    const void *pixels, int width, int height, int channels, void **bytes, size_t *byteCount) {
    VipsImage *image = graft_vips_image(pixels, width, height, channels);
    if (!image) return -1;
    int result = vips_pngsave_buffer(image, bytes, byteCount, "compression", 6, NULL);
    g_object_unref(image);
    return result;
}

/// 8-bit grey or sRGB pixels as the bytes of a JPEG file, which are to be given to `graft_vips_free`.
static inline int graft_vips_save_jpeg(
    const void *pixels, int width, int height, int channels, int quality, void **bytes, size_t *byteCount) {
    VipsImage *image = graft_vips_image(pixels, width, height, channels);
    if (!image) return -1;
    int result = vips_jpegsave_buffer(image, bytes, byteCount, "Q", quality, NULL);
    g_object_unref(image);
    return result;
}

/// Whether the image is stored so that no row is whole before the last byte.
static inline int graft_vips_is_interlaced(VipsImage *image) {
    int interlaced = 0;
    return vips_image_get_typeof(image, "interlaced") && vips_image_get_int(image, "interlaced", &interlaced) == 0
        && interlaced;
}

/// Computes an image a few rows at a time and hands each row over, from the top. Returns 0 on success.
static inline int graft_vips_for_each_row(
    VipsImage *image, void (*take)(const unsigned char *row, int y, void *context), void *context) {
    VipsRegion *region = vips_region_new(image);
    if (!region) return -1;
    int result = 0;
    for (int top = 0; result == 0 && top < image->Ysize; top += 16) {
        VipsRect strip = {0, top, image->Xsize, VIPS_MIN(16, image->Ysize - top)};
        result = vips_region_prepare(region, &strip);
        for (int y = top; result == 0 && y < top + strip.height; y++) take(VIPS_REGION_ADDR(region, 0, y), y, context);
    }
    g_object_unref(region);
    return result;
}

static inline void graft_vips_release(VipsImage *image) { g_object_unref(image); }

static inline void graft_vips_free(void *memory) { g_free(memory); }

static inline void graft_vips_ignore_message(
    const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer context) {
    (void)domain, (void)level, (void)message, (void)context;
}

/// Starts libvips: one worker thread an image, nothing cached, its warnings not printed. Returns 0 on success.
static inline int graft_vips_start(void) {
    if (vips_init("graft")) return -1;
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    g_log_set_handler(
        "VIPS", (GLogLevelFlags)(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG),
        graft_vips_ignore_message, NULL);
    return 0;
}
