internal import CVips
import GraftGraph

/// Makes PNG files, with libvips.
enum PNGWriter {
    /// The bytes of a file with these pixels.
    ///
    /// - Parameter software: what the file says that it was made with.
    /// - Throws: `GraftError` with code `image` where this system's libvips cannot write PNG.
    static func bytes(of image: DecodedImage, software: String) throws(GraftError) -> [UInt8] {
        do {
            return try VipsLibrary.perform { () -> [UInt8]? in
                var bytes: UnsafeMutableRawPointer?
                var byteCount = 0
                let result = image.pixels.withUnsafeBytes { pixels in
                    graft_vips_save_png(
                        pixels.baseAddress, Int32(image.width), Int32(image.height), Int32(image.channels), software,
                        &bytes, &byteCount)
                }
                defer { graft_vips_free(bytes) }
                guard result == 0, let bytes else { return nil }
                return [UInt8](UnsafeRawBufferPointer(start: bytes, count: byteCount))
            }
        } catch {
            throw GraftError(.image, "a PNG file could not be made: \(error.message)", cause: error.cause)
        }
    }
}
