import GraftGraph

/// What a policy does to colours, on whole numbers 0 to 255, with the arithmetic of Pillow (`ImageEnhance`, `ImageOps`), which is
/// what torchvision's operations call for images of Pillow's.
///
/// Operations that look at a whole image (contrast, autocontrast, equalize) look at the first size of a view, and do the same to
/// the others.
struct PixelOperations {
    private let operations: [PolicyOperation]
    /// What the first size gave, an element an operation: a table for each channel, where the operation has one.
    private var tables: [[[UInt8]]?] = []

    init(_ operations: [PolicyOperation]) { self.operations = operations }

    /// Changes a view in place; it is rounded to whole numbers first.
    mutating func apply(to values: UnsafeMutableBufferPointer<Float>, _ size: Size2D, channels: Int) {
        guard !operations.isEmpty else { return }
        var pixels = values.map { UInt8(min(max($0, 0), 255).rounded()) }
        for (number, operation) in operations.enumerated() {
            if number == tables.count { tables.append(Self.tables(operation, pixels, channels)) }
            if let tables = tables[number] {
                for index in pixels.indices { pixels[index] = tables[index % channels][Int(pixels[index])] }
            } else if operation.kind == .color {
                if channels == 3 { Self.saturate(&pixels, Float(1 + operation.magnitude)) }
            } else if operation.kind == .sharpness {
                Self.sharpen(&pixels, size, channels, Float(1 + operation.magnitude))
            }
        }
        for index in values.indices { values[index] = Float(pixels[index]) }
    }

    /// What becomes of each value in each channel; `nil` where it takes more than the value.
    private static func tables(_ operation: PolicyOperation, _ pixels: [UInt8], _ channels: Int) -> [[UInt8]]? {
        let all = 0...UInt8.max
        func same(_ change: (UInt8) -> UInt8) -> [[UInt8]] { Array(repeating: all.map(change), count: channels) }
        let factor = Float(1 + operation.magnitude)
        switch operation.kind {
        case .brightness: return same { blend(0, $0, factor) }
        case .contrast:
            let mean = grayMean(pixels, channels)
            return same { blend(mean, $0, factor) }
        case .posterize:
            let removed = 8 - Int(operation.magnitude)
            let mask: UInt8 = removed >= 8 ? 0 : UInt8.max << UInt8(removed)
            return same { $0 & mask }
        case .solarize: return same { Double($0) < operation.magnitude ? $0 : 255 - $0 }
        case .autoContrast: return histograms(pixels, channels).map(stretched)
        case .equalize: return histograms(pixels, channels).map(equalized)
        default: return nil
        }
    }

    // MARK: Pillow's arithmetic

    /// Pillow's `Image.blend` of two values: cut off, not rounded.
    @inline(__always)
    private static func blend(_ first: UInt8, _ second: UInt8, _ factor: Float) -> UInt8 {
        let value = Float(first) + factor * (Float(second) - Float(first))
        return UInt8(min(max(value, 0), 255))
    }

    /// Pillow's conversion to grey.
    private static func gray(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let sum: Int = Int(red) * 19595 + Int(green) * 38470
        return UInt8((sum + Int(blue) * 7471 + 0x8000) >> 16)
    }

    /// The mean of the grey image, rounded as `ImageEnhance.Contrast` does it.
    private static func grayMean(_ pixels: [UInt8], _ channels: Int) -> UInt8 {
        var sum = 0
        for start in stride(from: 0, to: pixels.count - channels + 1, by: channels) {
            sum += Int(channels == 3 ? gray(pixels[start], pixels[start + 1], pixels[start + 2]) : pixels[start])
        }
        return UInt8(Double(sum) / Double(max(pixels.count / channels, 1)) + 0.5)
    }

    private static func saturate(_ pixels: inout [UInt8], _ factor: Float) {
        for start in stride(from: 0, to: pixels.count - 2, by: 3) {
            let gray = gray(pixels[start], pixels[start + 1], pixels[start + 2])
            for index in start..<(start + 3) { pixels[index] = blend(gray, pixels[index], factor) }
        }
    }

    /// Away from the image that Pillow's `SMOOTH` filter makes: 5/13 of the pixel and 1/13 of each of its neighbours, the border as
    /// it is.
    private static func sharpen(_ pixels: inout [UInt8], _ size: Size2D, _ channels: Int, _ factor: Float) {
        guard size.height > 2, size.width > 2 else { return }
        let (before, row) = (pixels, size.width * channels)
        for y in 1..<(size.height - 1) {
            for x in channels..<(row - channels) {
                let index = y * row + x
                var sum = 4 * Int(before[index])
                for line in [index - row, index, index + row] {
                    sum += Int(before[line - channels]) + Int(before[line]) + Int(before[line + channels])
                }
                // Thirteenths are never halves.
                let smooth = UInt8((2 * sum + 13) / 26)
                pixels[index] = blend(smooth, before[index], factor)
            }
        }
    }

    private static func histograms(_ pixels: [UInt8], _ channels: Int) -> [[Int]] {
        var histograms = [[Int]](repeating: [Int](repeating: 0, count: 256), count: channels)
        for (index, value) in pixels.enumerated() { histograms[index % channels][Int(value)] += 1 }
        return histograms
    }

    /// `ImageOps.autocontrast`: the darkest value becomes 0, the lightest 255.
    private static func stretched(_ histogram: [Int]) -> [UInt8] {
        let values = 0...UInt8.max
        guard let low = histogram.firstIndex(where: { $0 > 0 }), let high = histogram.lastIndex(where: { $0 > 0 }),
            high > low
        else { return Array(values) }
        let scale = 255 / Double(high - low)
        let offset = -Double(low) * scale
        return values.map { value -> UInt8 in UInt8(min(max(Double(value) * scale + offset, 0), 255)) }
    }

    /// `ImageOps.equalize`: as many pixels in each stretch of values.
    private static func equalized(_ histogram: [Int]) -> [UInt8] {
        let used = histogram.filter { $0 > 0 }
        let step = (used.reduce(0, +) - (used.last ?? 0)) / 255
        guard used.count > 1, step > 0 else { return Array(0...UInt8.max) }
        var sum = step / 2
        return histogram.map { count in
            defer { sum += count }
            return UInt8(min(sum / step, 255))
        }
    }
}
