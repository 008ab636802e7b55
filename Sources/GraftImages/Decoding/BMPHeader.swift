import GraftGraph

/// The header of a Windows bitmap, checked.
///
/// The source is Microsoft's documentation of `BITMAPFILEHEADER`, `BITMAPCOREHEADER`, `BITMAPINFOHEADER` and
/// `BITMAPV5HEADER`. All numbers are little-endian.
struct BMPHeader {
    /// How pixels are stored.
    enum Compression: Int {
        case none = 0
        case runLength8 = 1
        case runLength4 = 2
        case masks = 3
        case masksWithAlpha = 6
    }

    let width: Int
    let height: Int
    /// Whether the first stored row is the top one; usually it is the bottom one.
    let isTopDown: Bool
    /// 1, 4, 8, 16, 24 or 32.
    let bitsPerPixel: Int
    let compression: Compression
    /// The bits of red, green and blue in a pixel of 16 or 32 bits.
    let masks: [UInt32]
    /// Red, green, blue of each palette entry.
    let palette: [UInt8]
    /// Where the pixels begin in the file.
    let pixelOffset: Int

    /// The bytes of a stored row without compression: a multiple of 4.
    var rowByteCount: Int { (width * bitsPerPixel + 31) / 32 * 4 }

    init(_ bytes: [UInt8]) throws(GraftError) {
        let headerByteCount = try Self.number(bytes, at: 14, byteCount: 4)
        let isCore = headerByteCount == 12
        guard isCore || (40...1024).contains(headerByteCount) else {
            throw GraftError(.image, "it is not a whole BMP picture: its header declares \(headerByteCount) bytes")
        }
        let sizeByteCount = isCore ? 2 : 4
        let declaredWidth = try Self.number(bytes, at: 18, byteCount: sizeByteCount)
        let declaredHeight = try Self.number(bytes, at: 18 + sizeByteCount, byteCount: sizeByteCount)
        let signedHeight = isCore ? declaredHeight : Int(Int32(truncatingIfNeeded: declaredHeight))
        width = isCore ? declaredWidth : Int(Int32(truncatingIfNeeded: declaredWidth))
        height = abs(signedHeight)
        isTopDown = signedHeight < 0

        bitsPerPixel = try Self.number(bytes, at: isCore ? 24 : 28, byteCount: 2)
        let code = isCore ? 0 : try Self.number(bytes, at: 30, byteCount: 4)
        guard let compression = Compression(rawValue: code), compression.allows(bitsPerPixel) else {
            throw GraftError(
                .image,
                "it is a BMP picture of \(bitsPerPixel) bits a pixel with compression \(code), which Graft does "
                    + "not read; save it as PNG")
        }
        self.compression = compression
        pixelOffset = try Self.number(bytes, at: 10, byteCount: 4)
        masks = try Self.masks(bytes, bitsPerPixel: bitsPerPixel, compression: compression)
        let hasMasksBehindHeader = headerByteCount == 40 && compression.usesMasks
        let paletteOffset = 14 + headerByteCount + (hasMasksBehindHeader ? (compression == .masks ? 12 : 16) : 0)
        palette = try Self.palette(
            bytes, at: paletteOffset, entryByteCount: isCore ? 3 : 4, bitsPerPixel: bitsPerPixel,
            declaredCount: isCore ? 0 : Self.number(bytes, at: 46, byteCount: 4))
    }

    /// Whether the bytes after "BM" make sense as a header; a text may begin with these letters too.
    static func hasPlausibleSize(_ bytes: [UInt8]) -> Bool {
        guard let byteCount = try? number(bytes, at: 14, byteCount: 4) else { return bytes.count < 18 }
        return byteCount == 12 || (40...1024).contains(byteCount)
    }

    private static func masks(
        _ bytes: [UInt8], bitsPerPixel: Int, compression: Compression
    ) throws(GraftError) -> [UInt32] {
        guard compression.usesMasks else {
            return bitsPerPixel == 16 ? [0x7C00, 0x03E0, 0x001F] : [0xFF0000, 0x00FF00, 0x0000FF]
        }
        var masks: [UInt32] = []
        for channel in 0..<3 {
            masks.append(UInt32(truncatingIfNeeded: try number(bytes, at: 54 + 4 * channel, byteCount: 4)))
        }
        return masks
    }

    private static func palette(
        _ bytes: [UInt8], at offset: Int, entryByteCount: Int, bitsPerPixel: Int, declaredCount: Int
    ) throws(GraftError) -> [UInt8] {
        guard bitsPerPixel <= 8 else { return [] }
        let most = 1 << bitsPerPixel
        let count = declaredCount == 0 ? most : min(declaredCount, most)
        guard offset + count * entryByteCount <= bytes.count else { throw truncation }
        var palette: [UInt8] = []
        for entry in 0..<count {
            let position = offset + entry * entryByteCount
            palette += [bytes[position + 2], bytes[position + 1], bytes[position]]
        }
        return palette
    }

    private static func number(_ bytes: [UInt8], at position: Int, byteCount: Int) throws(GraftError) -> Int {
        guard position + byteCount <= bytes.count else { throw truncation }
        return bytes[position..<(position + byteCount)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    static var truncation: GraftError {
        GraftError(.image, "it is not a whole BMP picture: the file ends too early")
    }
}

extension BMPHeader.Compression {
    var usesMasks: Bool { self == .masks || self == .masksWithAlpha }

    func allows(_ bitsPerPixel: Int) -> Bool {
        switch self {
        case .none: [1, 4, 8, 16, 24, 32].contains(bitsPerPixel)
        case .runLength8: bitsPerPixel == 8
        case .runLength4: bitsPerPixel == 4
        case .masks, .masksWithAlpha: bitsPerPixel == 16 || bitsPerPixel == 32
        }
    }
}
