#include "graft_jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

int graft_jpeg_turbo_version(void) {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
    return LIBJPEG_TURBO_VERSION_NUMBER;
#else
    return 0;
#endif
}

/// A progressive file has about ten scans; one made to waste time has thousands, each of which touches every pixel.
enum { MAXIMUM_SCANS = 32 };

typedef struct {
    struct jpeg_error_mgr manager;
    jmp_buf escape;
    char *message;
} error_state;

// Errors: text to the caller, then a jump out; warnings and traces: silence, as the pixels are usable.

static void fail(j_common_ptr info) {
    error_state *state = (error_state *)info->err;
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    snprintf(state->message, GRAFT_JPEG_MESSAGE_SIZE, "%s", text);
    longjmp(state->escape, 1);
}

static void ignore_message(j_common_ptr info, int level) {
    if (level < 0) info->err->num_warnings++;
}

static void ignore_output(j_common_ptr info) { (void)info; }

// The source: one block of memory. At its end the decoder is suspended, not fed with an invented end marker, so that
// a truncated file is told from a whole one that only lacks the marker.

static void begin_source(j_decompress_ptr info) { (void)info; }
static boolean refill_source(j_decompress_ptr info) { (void)info; return FALSE; }

static void skip_source(j_decompress_ptr info, long count) {
    struct jpeg_source_mgr *source = info->src;
    if (count <= 0) return;
    size_t step = (size_t)count < source->bytes_in_buffer ? (size_t)count : source->bytes_in_buffer;
    source->next_input_byte += step;
    source->bytes_in_buffer -= step;
}

static void limit_scans(j_common_ptr info) {
    if (((j_decompress_ptr)info)->input_scan_number > MAXIMUM_SCANS) {
        error_state *state = (error_state *)info->err;
        snprintf(state->message, GRAFT_JPEG_MESSAGE_SIZE, "it has more than %d scans", MAXIMUM_SCANS);
        longjmp(state->escape, 1);
    }
}

typedef struct {
    struct jpeg_decompress_struct info;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    error_state error;
} decoder;

/// Fills in everything but the jump buffer, which the caller sets in its own frame before this.
static void open_decoder(decoder *self, const uint8_t *bytes, size_t byteCount) {
    jpeg_create_decompress(&self->info);
    self->source.next_input_byte = bytes;
    self->source.bytes_in_buffer = byteCount;
    self->source.init_source = begin_source;
    self->source.fill_input_buffer = refill_source;
    self->source.skip_input_data = skip_source;
    self->source.resync_to_restart = jpeg_resync_to_restart;
    self->source.term_source = begin_source;
    self->info.src = &self->source;
    self->progress.progress_monitor = limit_scans;
    self->info.progress = &self->progress;
}

static void prepare_errors(decoder *self, char *message) {
    memset(self, 0, sizeof *self);
    self->info.err = jpeg_std_error(&self->error.manager);
    self->error.manager.error_exit = fail;
    self->error.manager.emit_message = ignore_message;
    self->error.manager.output_message = ignore_output;
    self->error.message = message;
    message[0] = 0;
}

static int truncated(decoder *self, const char *place) {
    snprintf(self->error.message, GRAFT_JPEG_MESSAGE_SIZE, "the file ends in the middle of %s", place);
    jpeg_destroy_decompress(&self->info);
    return -1;
}

/// Of each 8 × 8 block 64 numbers of 16 bits. As libjpeg's `jinit_d_coef_controller` allocates them.
static uint64_t coefficients(struct jpeg_decompress_struct *info) {
    uint64_t count = 0;
    if (!jpeg_has_multiple_scans(info)) return 0;
    for (int index = 0; index < info->num_components; index++) {
        const jpeg_component_info *component = &info->comp_info[index];
        uint64_t columns = (component->width_in_blocks + component->h_samp_factor) / component->h_samp_factor;
        uint64_t rows = (component->height_in_blocks + component->v_samp_factor) / component->v_samp_factor;
        count += columns * component->h_samp_factor * rows * component->v_samp_factor * sizeof(JBLOCK);
    }
    return count;
}

int graft_jpeg_read_header(
    const uint8_t *bytes, size_t byteCount, graft_jpeg_header *header, char message[GRAFT_JPEG_MESSAGE_SIZE]) {
    decoder self;
    prepare_errors(&self, message);
    if (setjmp(self.error.escape)) {
        jpeg_destroy_decompress(&self.info);
        return -1;
    }
    open_decoder(&self, bytes, byteCount);
    if (jpeg_read_header(&self.info, TRUE) == JPEG_SUSPENDED) return truncated(&self, "the header");
    header->width = self.info.image_width;
    header->height = self.info.image_height;
    header->components = (uint32_t)self.info.num_components;
    header->inverted = self.info.saw_Adobe_marker;
    header->coefficientByteCount = coefficients(&self.info);
    jpeg_destroy_decompress(&self.info);
    return 0;
}

int graft_jpeg_decode(
    const uint8_t *bytes, size_t byteCount, graft_jpeg_colours colours, unsigned reduction, uint8_t *pixels,
    size_t pixelByteCount, long *warnings, char message[GRAFT_JPEG_MESSAGE_SIZE]) {
    decoder self;
    prepare_errors(&self, message);
    if (setjmp(self.error.escape)) {
        jpeg_destroy_decompress(&self.info);
        return -1;
    }
    open_decoder(&self, bytes, byteCount);
    struct jpeg_decompress_struct *info = &self.info;
    if (jpeg_read_header(info, TRUE) == JPEG_SUSPENDED) return truncated(&self, "the header");
    info->out_color_space = colours == GRAFT_JPEG_GREY ? JCS_GRAYSCALE : colours == GRAFT_JPEG_RGB ? JCS_RGB : JCS_CMYK;
    info->scale_num = 1;
    info->scale_denom = reduction;
    info->dct_method = JDCT_IFAST;
    info->do_fancy_upsampling = TRUE;
    if (!jpeg_start_decompress(info)) return truncated(&self, "the picture");

    size_t rowByteCount = (size_t)info->output_width * (size_t)info->output_components;
    if ((int)info->output_components != (int)colours || rowByteCount * info->output_height != pixelByteCount) {
        snprintf(message, GRAFT_JPEG_MESSAGE_SIZE, "its size changed between two readings");
        jpeg_destroy_decompress(info);
        return -1;
    }
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = pixels + rowByteCount * info->output_scanline;
        if (jpeg_read_scanlines(info, &row, 1) == 0) {
            char place[64];
            snprintf(place, sizeof place, "the picture, after row %u of %u", info->output_scanline, info->output_height);
            return truncated(&self, place);
        }
    }
    if (warnings) *warnings = self.error.manager.num_warnings;
    jpeg_destroy_decompress(info);
    return 0;
}
