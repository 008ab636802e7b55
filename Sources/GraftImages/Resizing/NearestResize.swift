/// The input pixel under the centre of each output pixel.
///
/// Positions advance by adding the scale up in 64 bits, as Pillow's `ImagingScaleAffine` does, so that a centre that
/// falls between two pixels rounds to the same side.
struct NearestResize {
    private let source: PixelRows
    private let rows: [Int]
    private let columns: [Int]

    init(from source: PixelRows, height: Int, width: Int) {
        self.source = source
        rows = Self.positions(axisOf: source.height, to: height)
        columns = Self.positions(axisOf: source.width, to: width)
    }

    static func positions(axisOf inputSize: Int, to outputSize: Int) -> [Int] {
        let scale = Double(inputSize) / Double(outputSize)
        var centre = scale * 0.5
        return (0..<outputSize).map { _ in
            defer { centre += scale }
            return min(Int(centre), inputSize - 1)
        }
    }

    /// Writes all rows of the result one after another.
    func write(to target: UnsafeMutablePointer<Float>) {
        let channels = source.channels
        var result = target
        for row in rows {
            let pixels = source.row(row)
            for column in columns {
                for channel in 0..<channels { result[channel] = Float(pixels[column * channels + channel]) }
                result += channels
            }
        }
    }
}
