// libzip for Swift: what its headers say with macros and with variable arguments.
#ifndef GRAFT_CZIP_SHIM_H
#define GRAFT_CZIP_SHIM_H

#include <zip.h>

/// What a source that can only be read from its beginning to its end answers when it is asked what it can do.
static inline zip_int64_t graft_zip_stream_commands(void) {
    return ZIP_SOURCE_SUPPORTS_READABLE;
}

/// What a source that an archive is written to answers.
static inline zip_int64_t graft_zip_sink_commands(void) {
    return ZIP_SOURCE_SUPPORTS_WRITABLE;
}

#endif
