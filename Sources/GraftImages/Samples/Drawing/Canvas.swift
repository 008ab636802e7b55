/// Light on a square image, red, green and blue side by side.
struct Canvas {
    let side: Int
    private(set) var values: [Float]

    init(side: Int, colour: Colour = Colour(0, 0, 0)) {
        self.side = side
        values = [Float](repeating: 0, count: 3 * side * side)
        fill { _, _ in colour }
    }

    /// Gives each pixel a colour.
    mutating func fill(_ colour: (Int, Int) -> Colour) {
        for y in 0..<side {
            for x in 0..<side { set(3 * (y * side + x), colour(x, y)) }
        }
    }

    /// Lays a colour over what a mask covers.
    mutating func paint(_ mask: Mask, _ colour: Colour, opacity: Float = 1) {
        paint(mask, opacity: opacity) { _, _ in colour }
    }

    /// Lays colours over what a mask covers.
    mutating func paint(_ mask: Mask, opacity: Float = 1, _ colour: (Int, Int) -> Colour) {
        for row in 0..<mask.height {
            for column in 0..<mask.width {
                let share = mask.values[row * mask.width + column] * opacity
                guard share > 0 else { continue }
                let (x, y) = (mask.x + column, mask.y + row)
                let position = 3 * (y * side + x)
                set(position, self[position].mixed(with: colour(x, y), share))
            }
        }
    }

    /// Multiplies the light of each pixel.
    mutating func multiply(_ factor: (Int, Int) -> Colour) {
        for y in 0..<side {
            for x in 0..<side {
                let position = 3 * (y * side + x)
                set(position, self[position] * factor(x, y))
            }
        }
    }

    /// Takes light away where a plane is above 0; at 1 what is left is `remaining`.
    mutating func shade(by shadow: Plane, remaining: Colour) {
        let (white, side) = (Colour(1, 1, 1), side)
        multiply { x, y in white.mixed(with: remaining, shadow.values[y * side + x]) }
    }

    /// The canvas out of focus, by this standard deviation in pixels.
    func blurred(_ deviation: Float) -> Canvas {
        guard let kernel = GaussianKernel(deviation) else { return self }
        var result = self
        for channel in 0..<3 {
            var plane = (0..<(side * side)).map { values[3 * $0 + channel] }
            kernel.filter(&plane, side: side)
            for position in plane.indices { result.values[3 * position + channel] = plane[position] }
        }
        return result
    }

    private subscript(position: Int) -> Colour {
        Colour(values[position], values[position + 1], values[position + 2])
    }

    private mutating func set(_ position: Int, _ colour: Colour) {
        values[position] = colour.red
        values[position + 1] = colour.green
        values[position + 2] = colour.blue
    }
}
