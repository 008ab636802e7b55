internal import CVips
import GraftGraph

/// Makes JPEG files, with libvips.
package enum JPEGWriter {
    /// The bytes of a file with these pixels.
    ///
    /// - Parameter quality: 1 to 100.
    /// - Throws: `GraftError` with code `image` where this system's libvips cannot write JPEG.
    package static func bytes(of image: DecodedImage, quality: Int = 80) throws(GraftError) -> [UInt8] {
        do {
            return try VipsLibrary.perform { () -> [UInt8]? in
                var bytes: UnsafeMutableRawPointer?
                var byteCount = 0
                let result = image.pixels.withUnsafeBytes { pixels in
                    graft_vips_save_jpeg(
                        pixels.baseAddress, Int32(image.width), Int32(image.height), Int32(image.channels),
                        Int32(min(max(quality, 1), 100)), &bytes, &byteCount)
                }
                defer { graft_vips_free(bytes) }
                guard result == 0, let bytes else { return nil }
                return [UInt8](UnsafeRawBufferPointer(start: bytes, count: byteCount))
            }
        } catch {
            throw GraftError(.image, "a JPEG file could not be made: \(error.message)", cause: error.cause)
        }
    }
}
