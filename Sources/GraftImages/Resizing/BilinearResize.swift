/// Bilinear interpolation between pixel centres, without antialiasing.
///
/// The arithmetic is that of TensorFlow's `ResizeBilinear` with `half_pixel_centers`, in its order and in 32 bits, so
/// that results are equal bit for bit: first along the row, `left + (right − left)·t`, then between the two rows.
struct BilinearResize {
    private let source: PixelRows
    private let rows: [Neighbours]
    private let columns: [Neighbours]

    /// The two input positions an output position lies between, and how far it is on the way to the second.
    struct Neighbours {
        let lower: Int
        let upper: Int
        let fraction: Float

        /// One for each output position of an axis.
        static func along(axisOf inputSize: Int, to outputSize: Int) -> [Neighbours] {
            let scale = Float(inputSize) / Float(outputSize)
            return (0..<outputSize).map { position in
                let centre = (Float(position) + 0.5) * scale - 0.5
                let below = centre.rounded(.down)
                return Neighbours(
                    lower: max(Int(below), 0), upper: min(Int(centre.rounded(.up)), inputSize - 1),
                    fraction: centre - below)
            }
        }
    }

    init(from source: PixelRows, height: Int, width: Int) {
        self.source = source
        rows = Neighbours.along(axisOf: source.height, to: height)
        columns = Neighbours.along(axisOf: source.width, to: width)
    }

    /// Writes all rows of the result one after another.
    func write(to target: UnsafeMutablePointer<Float>) {
        let count = columns.count * source.channels
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * count) { buffer in
            guard let start = buffer.baseAddress else { return }
            var top = StretchedRow(values: start)
            var bottom = StretchedRow(values: start + count)
            var result = target
            for row in rows {
                // When enlarging, the next row often needs the same two, or the lower one as its upper one.
                if bottom.holds == row.lower { swap(&top, &bottom) }
                stretch(row.lower, to: &top)
                stretch(row.upper, to: &bottom)
                Self.blend(top.values, bottom.values, row.fraction, into: result, count: count)
                result += count
            }
        }
    }

    /// An input row brought to the output's width.
    private struct StretchedRow {
        let values: UnsafeMutablePointer<Float>
        var holds = -1
    }

    private func stretch(_ row: Int, to stretched: inout StretchedRow) {
        guard stretched.holds != row else { return }
        stretched.holds = row
        columns.withUnsafeBufferPointer { columns in
            if source.channels == 3 {
                stretchColours(source.row(row), columns, to: stretched.values)
            } else {
                stretchGreys(source.row(row), columns, to: stretched.values)
            }
        }
    }

    private func stretchGreys(
        _ pixels: UnsafePointer<UInt8>, _ columns: UnsafeBufferPointer<Neighbours>,
        to result: UnsafeMutablePointer<Float>
    ) {
        for x in 0..<columns.count {
            let left = Float(pixels[columns[x].lower])
            let right = Float(pixels[columns[x].upper])
            result[x] = left + (right - left) * columns[x].fraction
        }
    }

    /// Works on four values at a time; the fourth belongs to the next pixel, which overwrites it. The last pixel of the
    /// row has no next one, and is done by itself.
    private func stretchColours(
        _ pixels: UnsafePointer<UInt8>, _ columns: UnsafeBufferPointer<Neighbours>,
        to result: UnsafeMutablePointer<Float>
    ) {
        let lastPixel = source.width - 1
        let bytes = UnsafeRawPointer(pixels)
        let floats = UnsafeMutableRawPointer(result)
        var x = 0
        while x < columns.count - 1, columns[x].upper < lastPixel {
            let column = columns[x]
            let left = SIMD4<Float>(bytes.loadUnaligned(fromByteOffset: 3 * column.lower, as: SIMD4<UInt8>.self))
            let right = SIMD4<Float>(bytes.loadUnaligned(fromByteOffset: 3 * column.upper, as: SIMD4<UInt8>.self))
            let value = left + (right - left) * column.fraction
            floats.storeBytes(of: value, toByteOffset: 12 * x, as: SIMD4<Float>.self)
            x += 1
        }
        while x < columns.count {
            let column = columns[x]
            for channel in 0..<3 {
                let left = Float(pixels[3 * column.lower + channel])
                let right = Float(pixels[3 * column.upper + channel])
                result[3 * x + channel] = left + (right - left) * column.fraction
            }
            x += 1
        }
    }

    /// `top + (bottom − top)·fraction`, value by value.
    private static func blend(
        _ top: UnsafePointer<Float>, _ bottom: UnsafePointer<Float>, _ fraction: Float,
        into result: UnsafeMutablePointer<Float>, count: Int
    ) {
        for index in 0..<count { result[index] = top[index] + (bottom[index] - top[index]) * fraction }
    }
}
