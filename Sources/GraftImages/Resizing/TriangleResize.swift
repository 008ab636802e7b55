/// Bilinear interpolation with antialiasing: when shrinking, every input pixel counts.
///
/// Weights and order of summation are those of TensorFlow's `ScaleAndTranslate` with the triangle kernel: first down
/// the columns, then along the rows, in 32 bits.
struct TriangleResize {
    private let source: PixelRows
    private let rows: [Span]
    private let columns: [Span]

    /// The stretch of input positions that make an output position, and their weights.
    struct Span {
        let start: Int
        let weights: [Float]

        /// One for each output position of an axis.
        static func along(axisOf inputSize: Int, to outputSize: Int) -> [Span] {
            let inverseScale = 1 / (Float(outputSize) / Float(inputSize))
            let reach = max(inverseScale, 1)
            return (0..<outputSize).map { position in
                let centre = (Float(position) + 0.5) * inverseScale
                let first = (centre - reach - 0.5).rounded(.up)
                let last = (centre + reach - 0.5).rounded(.down)
                let start = min(max(Int(first), 0), inputSize - 1)
                let end = min(max(Int(last), 0), inputSize - 1)
                let weights = (start...end).map { input in
                    max(0, 1 - abs((Float(input) + 0.5 - centre) / reach))
                }
                let scale = 1 / weights.reduce(0, +)
                return Span(start: start, weights: weights.map { $0 * scale })
            }
        }
    }

    init(from source: PixelRows, height: Int, width: Int) {
        self.source = source
        rows = Span.along(axisOf: source.height, to: height)
        columns = Span.along(axisOf: source.width, to: width)
    }

    /// Writes all rows of the result one after another.
    func write(to target: UnsafeMutablePointer<Float>) {
        // One value more, as the last pixel is read with the value after it.
        withUnsafeTemporaryAllocation(of: Float.self, capacity: source.rowCount + 1) { buffer in
            buffer.initialize(repeating: 0)
            guard let sums = buffer.baseAddress else { return }
            var result = target
            for row in rows {
                sums.initialize(repeating: 0, count: source.rowCount)
                for (offset, weight) in row.weights.enumerated() {
                    Self.add(source.row(row.start + offset), weighing: weight, to: sums, count: source.rowCount)
                }
                gather(sums, to: result)
                result += columns.count * source.channels
            }
        }
    }

    /// `sums += weight · pixels`
    private static func add(
        _ pixels: UnsafePointer<UInt8>, weighing weight: Float, to sums: UnsafeMutablePointer<Float>, count: Int
    ) {
        for index in 0..<count { sums[index] += weight * Float(pixels[index]) }
    }

    /// The weighted sums along one row.
    private func gather(_ sums: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>) {
        if source.channels == 3 {
            gatherColours(sums, to: result)
        } else {
            for (x, column) in columns.enumerated() {
                result[x] = zip(column.weights, column.start...).reduce(0) { $0 + sums[$1.1] * $1.0 }
            }
        }
    }

    /// Works on four values at a time; the fourth belongs to the next pixel and is not written.
    private func gatherColours(_ sums: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>) {
        let bytes = UnsafeRawPointer(sums)
        for (x, column) in columns.enumerated() {
            var value = SIMD4<Float>.zero
            var offset = 12 * column.start
            column.weights.withUnsafeBufferPointer { weights in
                for weight in weights {
                    value += bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<Float>.self) * weight
                    offset += 12
                }
            }
            result[3 * x] = value.x
            result[3 * x + 1] = value.y
            result[3 * x + 2] = value.z
        }
    }
}
