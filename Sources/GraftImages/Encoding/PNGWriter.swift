internal import CVips
import GraftGraph

/// Makes PNG files, with libvips.
enum PNGWriter {
    /// The bytes of a file with these pixels.
    ///
    /// - Parameter software: what the file says that it was made with, in ASCII; the text is before the pixels.
    /// - Throws: `GraftError` with code `image` where this system's libvips cannot write PNG.
    static func bytes(of image: DecodedImage, software: String) throws(GraftError) -> [UInt8] {
        do {
            let bytes = try VipsLibrary.perform { () -> [UInt8]? in
                var bytes: UnsafeMutableRawPointer?
                var byteCount = 0
                let result = image.pixels.withUnsafeBytes { pixels in
                    graft_vips_save_png(
                        pixels.baseAddress, Int32(image.width), Int32(image.height), Int32(image.channels), &bytes,
                        &byteCount)
                }
                defer { graft_vips_free(bytes) }
                guard result == 0, let bytes else { return nil }
                return [UInt8](UnsafeRawBufferPointer(start: bytes, count: byteCount))
            }
            return bytes.prefix(headerByteCount) + textChunk("Software", software) + bytes.dropFirst(headerByteCount)
        } catch {
            throw GraftError(.image, "a PNG file could not be made: \(error.message)", cause: error.cause)
        }
    }

    /// The signature and the chunk `IHDR`, which every PNG file begins with.
    private static let headerByteCount = 33

    /// A chunk `tEXt`.
    private static func textChunk(_ keyword: String, _ text: String) -> [UInt8] {
        let content = Array(keyword.utf8) + [0] + Array(text.utf8)
        let named = Array("tEXt".utf8) + content
        return bigEndian(UInt32(content.count)) + named + bigEndian(checksum(named))
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// The checksum of PNG's chunks (CRC-32 of ISO 3309).
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
    }
}
