import GraftGraph
import GraftImages

/// A class activation map drawn over its image: the stronger, the more orange.
struct HeatOverlay {
    private let values: [Float]
    private let height: Int
    private let width: Int

    /// - Parameter map: (1, height, width), 0 and more.
    init(_ map: Tensor) {
        (height, width) = (map.shape[1], map.shape[2])
        let largest = map.withUnsafeBuffer { $0.max() ?? 0 }
        values = map.withUnsafeBuffer { $0.map { largest > 0 ? $0 / largest : 0 } }
    }

    /// The image with the map over it.
    ///
    /// - Parameter input: (1, height, width, channels) of values 0 to 255.
    func applied(to input: Tensor) -> DecodedImage {
        let (rows, columns, channels) = (input.shape[1], input.shape[2], input.shape[3])
        var pixels = [UInt8](repeating: 0, count: 3 * rows * columns)
        let colour: [Float] = [255, 120, 0]
        input.withUnsafeBuffer { source in
            for y in 0..<rows {
                for x in 0..<columns {
                    let heat = 0.65 * value(y: (Float(y) + 0.5) / Float(rows), x: (Float(x) + 0.5) / Float(columns))
                    for channel in 0..<3 {
                        let own = source[(y * columns + x) * channels + (channels == 3 ? channel : 0)]
                        let mixed = own * (1 - heat) + colour[channel] * heat
                        pixels[3 * (y * columns + x) + channel] = UInt8(min(max(mixed, 0), 255).rounded())
                    }
                }
            }
        }
        return DecodedImage(height: rows, width: columns, channels: 3, pixels: pixels)
    }

    /// Between the positions of the map, bilinear; `x` and `y` from 0 to 1.
    private func value(y: Float, x: Float) -> Float {
        let (row, column) = (y * Float(height) - 0.5, x * Float(width) - 0.5)
        let (top, left) = (max(Int(row.rounded(.down)), 0), max(Int(column.rounded(.down)), 0))
        let (bottom, right) = (min(top + 1, height - 1), min(left + 1, width - 1))
        let (down, across) = (min(max(row - Float(top), 0), 1), min(max(column - Float(left), 0), 1))
        let upper = values[top * width + left] * (1 - across) + values[top * width + right] * across
        let lower = values[bottom * width + left] * (1 - across) + values[bottom * width + right] * across
        return upper * (1 - down) + lower * down
    }
}
