/// Changes of colour on values 0 to 255, channels side by side.
struct ColourAdjustment: Hashable, Sendable {
    /// Added to every value.
    var brightness: Float = 0
    /// Multiplies the distance from the channel's mean.
    var contrast: Float = 1
    /// Multiplies HSV's saturation.
    var saturation: Float = 1
    /// Added to HSV's hue, in turns.
    var hue: Float = 0
    /// Whether colours become grey.
    var isGray = false

    /// What Keras weights red, green and blue with (`rgb_to_grayscale`).
    private static let grayWeights: (Float, Float, Float) = (0.2989, 0.5870, 0.1140)

    /// Changes the values in place; afterwards they lie in 0…255.
    ///
    /// - Parameter mean: the mean of each channel, of the view before it was changed.
    func apply(to values: UnsafeMutableBufferPointer<Float>, channels: Int, mean: @autoclosure () -> [Float]) {
        if brightness != 0 || contrast != 1 {
            let offsets = (contrast == 1 ? [Float](repeating: 0, count: channels) : mean())
                .map { (1 - contrast) * $0 + brightness }
            scale(values, offsets)
        }
        guard channels == 3 else { return }
        if saturation != 1 { changePixels(values, saturated) }
        if hue != 0 { changePixels(values, turned) }
        if isGray { changePixels(values, Self.gray) }
    }

    /// `contrast · x + offset`, clipped. Contrast about the mean is `c·(x + b) + (1 − c)·(mean + b)`.
    private func scale(_ values: UnsafeMutableBufferPointer<Float>, _ offsets: [Float]) {
        let channels = offsets.count
        guard channels == 3 else {
            for index in values.indices { values[index] = min(max(values[index] * contrast + offsets[0], 0), 255) }
            return
        }
        let (red, green, blue) = (offsets[0], offsets[1], offsets[2])
        for index in stride(from: 0, to: values.count - 2, by: 3) {
            values[index] = min(max(values[index] * contrast + red, 0), 255)
            values[index + 1] = min(max(values[index + 1] * contrast + green, 0), 255)
            values[index + 2] = min(max(values[index + 2] * contrast + blue, 0), 255)
        }
    }

    private typealias Pixel = SIMD3<Float>

    @inline(__always)
    private func changePixels(_ values: UnsafeMutableBufferPointer<Float>, _ change: (Pixel) -> Pixel) {
        for index in stride(from: 0, to: values.count - 2, by: 3) {
            let pixel = change(Pixel(values[index], values[index + 1], values[index + 2]))
            values[index] = pixel.x
            values[index + 1] = pixel.y
            values[index + 2] = pixel.z
        }
    }

    /// HSV with the saturation multiplied and at most 1, without leaving RGB: value and hue stay where all channels keep
    /// their distances from the largest one in proportion.
    private func saturated(_ pixel: Pixel) -> Pixel {
        let (largest, smallest) = (pixel.max(), pixel.min())
        guard largest > smallest else { return pixel }
        return largest - (largest - pixel) * min(saturation, largest / (largest - smallest))
    }

    /// HSV with the hue turned.
    private func turned(_ pixel: Pixel) -> Pixel {
        let largest = pixel.max()
        let range = largest - pixel.min()
        guard range > 0 else { return pixel }
        // Sixths of the circle: red at 0, green at 2, blue at 4.
        let sixths: Float
        if largest == pixel.x {
            sixths = (pixel.y - pixel.z) / range
        } else if largest == pixel.y {
            sixths = 2 + (pixel.z - pixel.x) / range
        } else {
            sixths = 4 + (pixel.x - pixel.y) / range
        }
        // Each channel's distance from the largest is the range times 0…1, a trapezoid over the circle.
        var position = Pixel(5, 3, 1) + (sixths + 6 * hue)
        // It lies in −3…13, as the hue turns by half a circle at most.
        position.replace(with: position + 6, where: position .< 0)
        position.replace(with: position - 6, where: position .>= 6)
        position.replace(with: position - 6, where: position .>= 6)
        let distance = pointwiseMin(position, 4 - position).clamped(
            lowerBound: Pixel(), upperBound: Pixel(repeating: 1))
        return largest - range * distance
    }

    private static func gray(_ pixel: Pixel) -> Pixel {
        Pixel(repeating: pixel.x * grayWeights.0 + pixel.y * grayWeights.1 + pixel.z * grayWeights.2)
    }

    /// The mean of each channel.
    static func mean(of values: UnsafeMutableBufferPointer<Float>, channels: Int) -> [Float] {
        (0..<channels).map { channel in
            var sum = 0.0
            for index in stride(from: channel, to: values.count, by: channels) { sum += Double(values[index]) }
            return Float(sum / Double(max(values.count / channels, 1)))
        }
    }
}
