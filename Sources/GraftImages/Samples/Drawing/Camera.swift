/// What is between a scene and its image: focus, exposure, white balance, noise of the sensor.
struct Camera {
    /// The standard deviation of the blur, as a share of the image's side.
    var blur: Float
    /// Factors of the light.
    var gain: Colour
    /// The standard deviation of the noise at full light; it falls with the root of the light, as photons do.
    var noise: Float
    /// How much light the corners lose.
    var vignette: Float

    /// The image of a scene, 8 bits a channel in sRGB.
    func image(of canvas: Canvas, _ numbers: inout RandomNumbers) -> DecodedImage {
        let side = canvas.side
        let sharp = canvas.blurred(blur * Float(side))
        let grain = noise * 3.5  // bell() has a deviation of 0.29
        var pixels = [UInt8](repeating: 0, count: 3 * side * side)
        for y in 0..<side {
            for x in 0..<side {
                let place = Point(Float(x) + 0.5, Float(y) + 0.5) / Float(side) - 0.5
                let light = 1 - vignette * 2 * (place.x * place.x + place.y * place.y)
                let common = numbers.bell() * 0.7
                for channel in 0..<3 {
                    let position = 3 * (y * side + x) + channel
                    let factor = channel == 0 ? gain.red : channel == 1 ? gain.green : gain.blue
                    let value = sharp.values[position] * factor * light
                    let photons = (max(value, 0) + 0.02).squareRoot()
                    pixels[position] = TransferFunction.byte(
                        Self.soften(value) + (common + numbers.bell() * 0.7) * grain * photons)
                }
            }
        }
        return DecodedImage(height: side, width: side, channels: 3, pixels: pixels)
    }

    /// Full light comes gently: from 0.7 on the curve bends towards 1.
    private static func soften(_ value: Float) -> Float {
        guard value > 0.7 else { return value }
        let excess = (value - 0.7) / 0.3
        return 0.7 + 0.3 * excess / (1 + excess)
    }
}
