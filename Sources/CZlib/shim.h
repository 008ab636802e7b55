// zlib for Swift.
#ifndef GRAFT_CZLIB_SHIM_H
#define GRAFT_CZLIB_SHIM_H

#include <zlib.h>

/// `inflateInit2` is a macro, which Swift does not see. Negative window bits: a raw stream, without zlib's header.
static inline int graft_inflate_start(z_stream *stream, int window_bits) { return inflateInit2(stream, window_bits); }

#endif
