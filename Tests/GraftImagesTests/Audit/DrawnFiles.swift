import Foundation

/// Small image files written byte by byte, so that any part of them can be odd or wrong.
enum DrawnFile {
    /// Brightness that differs from seed to seed and has large and small forms: four waves.
    static func pattern(_ seed: Int, x: Double, y: Double) -> Double {
        var value = 0.5
        var state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func next() -> Double {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Double(state >> 11) * 0x1p-53
        }
        for _ in 0..<4 {
            let (across, down, phase) = (next() * 5, next() * 5, next())
            value += 0.12 * cos(2 * .pi * (across * x + down * y + phase))
        }
        return min(max(value, 0), 1)
    }

    /// Grey values, row by row.
    static func greys(_ seed: Int, width: Int, height: Int) -> [UInt8] {
        (0..<height).flatMap { y in
            (0..<width).map { x in
                UInt8(255 * pattern(seed, x: (Double(x) + 0.5) / Double(width), y: (Double(y) + 0.5) / Double(height)))
            }
        }
    }

    /// Values of so many channels and bytes each, from grey ones.
    static func samples(_ seed: Int, width: Int, height: Int, channels: Int, bytes: Int) -> [UInt8] {
        greys(seed, width: width, height: height).flatMap { grey in
            (0..<channels).flatMap { channel in
                [UInt8](repeating: channel == 3 ? 0 : grey &+ UInt8(9 * channel), count: bytes)
            }
        }
    }

    // MARK: PNG

    /// A PNG file; `bits` 8 or 16, `colour` 0 grey or 2 RGB.
    static func png(
        _ seed: Int, width: Int = 48, height: Int = 40, bits: Int = 8, colour: Int = 2, frames: Int = 1
    ) -> [UInt8] {
        let channels = colour == 2 ? 3 : 1
        let rowCount = width * channels * bits / 8
        let values = samples(seed, width: width, height: height, channels: channels, bytes: bits / 8)
        let rows = (0..<height).flatMap { [0] + values[($0 * rowCount)..<(($0 + 1) * rowCount)] }
        var file = pngSignature + chunk("IHDR", big(width, 4) + big(height, 4) + [UInt8(bits), UInt8(colour), 0, 0, 0])
        let control = big(width, 4) + big(height, 4) + big(0, 4) + big(0, 4) + big(1, 2) + big(10, 2) + [0, 0]
        if frames > 1 {
            file += chunk("acTL", big(frames, 4) + big(0, 4)) + chunk("fcTL", big(0, 4) + control)
        }
        file += chunk("IDAT", stored(rows))
        for frame in 1..<max(frames, 1) {
            file += chunk("fcTL", big(2 * frame - 1, 4) + control)
            file += chunk("fdAT", big(2 * frame, 4) + stored(rows))
        }
        return file + chunk("IEND", [])
    }

    static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let named = Array(name.utf8) + content
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in named {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return big(content.count, 4) + named + big(Int(~sum), 4)
    }

    /// A zlib stream of blocks that are not compressed (RFC 1950, RFC 1951 3.2.4).
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        for start in stride(from: 0, to: bytes.count, by: 65535) {
            let block = bytes[start..<min(start + 65535, bytes.count)]
            stream += [start + 65535 >= bytes.count ? 1 : 0] + little(block.count, 2) + little(~block.count & 0xFFFF, 2)
            stream += block
        }
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return stream + big(Int(b << 16 | a), 4)
    }

    // MARK: GIF

    /// A grey GIF whose codes are all of 9 bits: a clear code comes before they would grow.
    static func gif(_ seed: Int, width: Int = 48, height: Int = 40, frames: Int = 1, screen: Int? = nil) -> [UInt8] {
        var file = Array("GIF89a".utf8) + little(screen ?? width, 2) + little(screen ?? height, 2) + [0xF7, 0, 0]
        for level in 0..<256 { file += [UInt8](repeating: UInt8(level), count: 3) }
        for frame in 0..<frames {
            file += [0x21, 0xF9, 4, 0, 10, 0, 0, 0]
            file += [0x2C] + little(0, 4) + little(width, 2) + little(height, 2) + [0, 8]
            let codes = lzw(greys(seed + frame, width: width, height: height))
            for start in stride(from: 0, to: codes.count, by: 255) {
                let block = codes[start..<min(start + 255, codes.count)]
                file += [UInt8(block.count)] + block
            }
            file += [0]
        }
        return file + [0x3B]
    }

    private static func lzw(_ values: [UInt8]) -> [UInt8] {
        var (bytes, pending, count): ([UInt8], Int, Int) = ([], 0, 0)
        func put(_ code: Int) {
            pending |= code << count
            count += 9
            while count >= 8 {
                bytes.append(UInt8(pending & 0xFF))
                pending >>= 8
                count -= 8
            }
        }
        for (number, value) in values.enumerated() {
            if number % 200 == 0 { put(256) }
            put(Int(value))
        }
        put(257)
        if count > 0 { bytes.append(UInt8(pending & 0xFF)) }
        return bytes
    }

    // MARK: TIFF

    /// A little-endian TIFF of one strip a page; `inks` makes it CMYK.
    static func tiff(
        _ seed: Int, width: Int = 48, height: Int = 40, channels: Int = 3, bits: Int = 8, inks: Bool = false,
        pages: Int = 1,
        orientation: Int = 1, declaredWidth: Int? = nil
    ) -> [UInt8] {
        var file: [UInt8] = [0x49, 0x49, 0x2A, 0, 0, 0, 0, 0]
        var link = 4
        for page in 0..<pages {
            let pixels = samples(seed + page, width: width, height: height, channels: channels, bytes: bits / 8)
            let strip = file.count
            file += pixels
            let depths = file.count
            file += (0..<channels).flatMap { _ in little(bits, 2) }
            file += [UInt8](repeating: 0, count: file.count % 2)
            let photometric = inks ? 5 : channels == 1 ? 1 : 2
            let entries: [(Int, Int, Int, Int)] = [
                (256, 4, 1, declaredWidth ?? width), (257, 4, 1, height),
                (258, 3, channels, channels <= 2 ? bits : depths), (259, 3, 1, 1), (262, 3, 1, photometric),
                (273, 4, 1, strip), (274, 3, 1, orientation), (277, 3, 1, channels), (278, 4, 1, height),
                (279, 4, 1, pixels.count), (284, 3, 1, 1),
            ]
            file.replaceSubrange(link..<(link + 4), with: little(file.count, 4))
            file += little(entries.count, 2)
            for (tag, type, count, value) in entries {
                file += little(tag, 2) + little(type, 2) + little(count, 4) + little(value, 4)
            }
            link = file.count
            file += little(0, 4)
        }
        return file
    }

    // MARK: JPEG

    /// A JPEG file with a camera's note of how it was held, behind the marker that begins it.
    static func jpeg(_ bytes: [UInt8], orientation: Int) -> [UInt8] {
        let directory = big(1, 2) + big(0x0112, 2) + big(3, 2) + big(1, 4) + big(orientation, 2) + big(0, 2) + big(0, 4)
        let exif = Array("Exif\0\0MM".utf8) + big(42, 2) + big(8, 4) + directory
        return Array(bytes[..<2]) + [0xFF, 0xE1] + big(exif.count + 2, 2) + exif + bytes[2...]
    }

    /// A JPEG file that declares another size.
    static func jpeg(_ bytes: [UInt8], declaring width: Int, _ height: Int) -> [UInt8] {
        var bytes = bytes
        for position in 0..<(bytes.count - 9) where bytes[position] == 0xFF && bytes[position + 1] == 0xC0 {
            bytes.replaceSubrange((position + 5)..<(position + 9), with: big(height, 2) + big(width, 2))
            break
        }
        return bytes
    }

    static func big(_ number: Int, _ count: Int) -> [UInt8] { little(number, count).reversed() }

    static func little(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}

extension [UInt8] {
    /// The first share of the bytes.
    func cut(_ share: Double) -> [UInt8] { Array(self[..<Int(Double(count) * share)]) }

    /// With other bytes at a place.
    func with(_ bytes: [UInt8], at position: Int) -> [UInt8] {
        var result = self
        result.replaceSubrange(position..<(position + bytes.count), with: bytes)
        return result
    }
}
