/// An amount of light in red, green and blue: linear, 1 is white.
struct Colour: Sendable {
    var red: Float
    var green: Float
    var blue: Float

    init(_ red: Float, _ green: Float, _ blue: Float) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// The colour that a screen shows for `0xRRGGBB`.
    init(_ code: UInt32) {
        self.init(
            TransferFunction.linear[Int(code >> 16 & 0xFF)], TransferFunction.linear[Int(code >> 8 & 0xFF)],
            TransferFunction.linear[Int(code & 0xFF)])
    }

    /// The colour itself at 0, the other at 1.
    func mixed(with other: Colour, _ t: Float) -> Colour {
        Colour(
            red + (other.red - red) * t, green + (other.green - green) * t, blue + (other.blue - blue) * t)
    }

    static func * (colour: Colour, factor: Float) -> Colour {
        Colour(colour.red * factor, colour.green * factor, colour.blue * factor)
    }

    static func * (colour: Colour, other: Colour) -> Colour {
        Colour(colour.red * other.red, colour.green * other.green, colour.blue * other.blue)
    }

    static func + (colour: Colour, other: Colour) -> Colour {
        Colour(colour.red + other.red, colour.green + other.green, colour.blue + other.blue)
    }

    /// A colour nearby: brightness within ± `brightness`, each channel within ± `hue`, as shares.
    func varied(brightness: Float, hue: Float, _ numbers: inout RandomNumbers) -> Colour {
        let factor = 1 + numbers.between(-brightness, brightness)
        return Colour(
            red * factor * (1 + numbers.between(-hue, hue)), green * factor * (1 + numbers.between(-hue, hue)),
            blue * factor * (1 + numbers.between(-hue, hue)))
    }
}

/// How bytes stand for light: the transfer function of sRGB (IEC 61966-2-1).
enum TransferFunction {
    /// The light of each byte.
    static let linear: [Float] = (0..<256).map { Float(light(Double($0) / 255)) }

    /// `byte(x)` is `codes[√x · 4095]`: the root is close to the function, so that the table is fine enough everywhere.
    private static let codes: [UInt8] = {
        let limits = (0..<255).map { light((Double($0) + 0.5) / 255) }
        var code = 0
        return (0...4095).map { position in
            let root = Double(position) / 4095
            while code < 255, root * root > limits[code] { code += 1 }
            return UInt8(code)
        }
    }()

    /// The byte for an amount of light; what is below 0 or above 1 is cut off.
    static func byte(_ light: Float) -> UInt8 {
        codes[Int(min(max(light, 0), 1).squareRoot() * 4095 + 0.5)]
    }

    private static func light(_ value: Double) -> Double {
        guard value > 0.04045 else { return value / 12.92 }
        let base = (value + 0.055) / 1.055
        let root = Arithmetic.fifthRoot(base)
        return base * base * root * root  // base^2.4
    }
}
