/// JPEG from memory to pixels, on libjpeg-turbo's classic interface: errors come back as text, nothing exits or prints.
#ifndef GRAFT_JPEG_H
#define GRAFT_JPEG_H

#include <stddef.h>
#include <stdint.h>

/// What the pixels are to be; the value is the number of bytes a pixel takes.
typedef enum {
    GRAFT_JPEG_GREY = 1,
    GRAFT_JPEG_RGB = 3,
    /// As the file stores it: Photoshop's files hold it inverted, see `inverted`.
    GRAFT_JPEG_CMYK = 4,
} graft_jpeg_colours;

typedef struct {
    uint32_t width, height;
    /// 1 grey, 3 colour, 4 CMYK.
    uint32_t components;
    /// Whether CMYK values are 255 − ink (an Adobe marker says so).
    int inverted;
    /// The bytes of coefficients that are kept of the whole image: 0 unless it is stored in several scans.
    uint64_t coefficientByteCount;
} graft_jpeg_header;

enum { GRAFT_JPEG_MESSAGE_SIZE = 256 };

/// The version of libjpeg-turbo whose headers this was built with, as 1,000,000 · major + 1,000 · minor + patch; 0 for another
/// libjpeg.
int graft_jpeg_turbo_version(void);

/// Reads the header alone. Returns 0, or −1 with the reason in `message`.
int graft_jpeg_read_header(
    const uint8_t *bytes, size_t byteCount, graft_jpeg_header *header, char message[GRAFT_JPEG_MESSAGE_SIZE]);

/// Decodes every row into `pixels`, which holds `pixelByteCount` = width · height · colours bytes, where width and height are
/// those of the file divided by `reduction`, which is 1, 2, 4 or 8, and rounded up. A reduced image is made from the lower
/// frequencies of each block alone (DCT scaling); every byte of the file is still read. `warnings`, where it is not NULL, counts
/// what libjpeg found wrong with the data and went over.
///
/// The inverse transform is libjpeg's fast integer one with smooth chroma upsampling, which is what TensorFlow's
/// `decode_jpeg` and `decode_image` choose by default, so that pixels equal theirs bit for bit.
/// Returns 0, or −1 with the reason in `message`.
int graft_jpeg_decode(
    const uint8_t *bytes, size_t byteCount, graft_jpeg_colours colours, unsigned reduction, uint8_t *pixels,
    size_t pixelByteCount, long *warnings, char message[GRAFT_JPEG_MESSAGE_SIZE]);

#endif
