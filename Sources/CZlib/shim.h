// What Swift cannot call in zlib: deflateInit2 is a macro that adds the version and the struct's
// size, by which zlib notices a header that does not belong to the library.

#ifndef METERFLOW_CZLIB_SHIM_H
#define METERFLOW_CZLIB_SHIM_H

#include <zlib.h>

// Starts a deflate stream in the gzip format (RFC 1952): 15 bits of window, plus 16 for gzip.
static inline int meterflow_gzip_start(z_stream *_Nonnull stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

#endif
