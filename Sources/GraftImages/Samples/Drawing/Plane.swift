/// A number for each pixel of a square image.
struct Plane {
    let side: Int
    var values: [Float]

    init(side: Int, value: Float = 0) {
        self.side = side
        values = [Float](repeating: value, count: side * side)
    }

    /// The number at a pixel; outside the image, that of the nearest pixel.
    subscript(x: Int, y: Int) -> Float {
        values[min(max(y, 0), side - 1) * side + min(max(x, 0), side - 1)]
    }

    /// Raises what lies below a mask to the mask.
    mutating func cover(with mask: Mask) { change(within: mask) { old, share, _, _ in max(old, share) } }

    /// Adds values where a mask covers.
    mutating func add(_ mask: Mask, _ value: (Int, Int) -> Float) {
        change(within: mask) { old, share, x, y in old + share * value(x, y) }
    }

    /// Raises what lies below values where a mask covers.
    mutating func raise(within mask: Mask, _ value: (Int, Int) -> Float) {
        change(within: mask) { old, share, x, y in max(old, share * value(x, y)) }
    }

    /// Takes away what a mask covers.
    mutating func keep(outside mask: Mask) { change(within: mask) { old, share, _, _ in old * (1 - share) } }

    @inline(__always)
    private mutating func change(within mask: Mask, _ value: (Float, Float, Int, Int) -> Float) {
        for row in 0..<mask.height {
            for column in 0..<mask.width {
                let share = mask.values[row * mask.width + column]
                guard share > 0 else { continue }
                let (x, y) = (mask.x + column, mask.y + row)
                values[y * side + x] = value(values[y * side + x], share, x, y)
            }
        }
    }

    /// The plane, moved by whole pixels.
    func moved(by offset: Point) -> Plane {
        var result = self
        let (right, down) = (Int(offset.x.rounded()), Int(offset.y.rounded()))
        for y in 0..<side {
            for x in 0..<side { result.values[y * side + x] = self[x - right, y - down] }
        }
        return result
    }

    /// The plane out of focus: a Gaussian filter of this standard deviation, in pixels.
    func blurred(_ deviation: Float) -> Plane {
        guard let kernel = GaussianKernel(deviation) else { return self }
        var result = self
        kernel.filter(&result.values, side: side)
        return result
    }
}

/// The weights of a Gaussian filter.
struct GaussianKernel {
    /// From the middle outwards.
    private let weights: [Float]

    /// `nil` for a filter that changes nothing to speak of.
    init?(_ deviation: Float) {
        guard deviation > 0.2 else { return nil }
        let reach = Int((deviation * 2.6).rounded(.up))
        let heights = (0...reach).map { Arithmetic.decay(Float($0 * $0) / (2 * deviation * deviation)) }
        let sum = heights.reduce(0, +) * 2 - heights[0]
        weights = heights.map { $0 / sum }
    }

    /// Filters rows, then columns; outside the image lies what is at its edge.
    func filter(_ values: inout [Float], side: Int) {
        let reach = weights.count - 1
        var padded = [Float](repeating: 0, count: side + 2 * reach)
        var rows = values
        for y in 0..<side {
            for x in -reach..<(side + reach) {
                padded[x + reach] = values[y * side + min(max(x, 0), side - 1)]
            }
            rows.withUnsafeMutableBufferPointer { rows in
                padded.withUnsafeBufferPointer { padded in
                    let row = UnsafeMutableBufferPointer(rebasing: rows[(y * side)..<((y + 1) * side)])
                    weigh(row) { x, step in padded[x + reach + step] }
                }
            }
        }
        values.withUnsafeMutableBufferPointer { values in
            rows.withUnsafeBufferPointer { rows in
                for y in 0..<side {
                    let row = UnsafeMutableBufferPointer(rebasing: values[(y * side)..<((y + 1) * side)])
                    weigh(row) { x, step in rows[min(max(y + step, 0), side - 1) * side + x] }
                }
            }
        }
    }

    @inline(__always)
    private func weigh(_ row: UnsafeMutableBufferPointer<Float>, _ value: (Int, Int) -> Float) {
        for x in row.indices { row[x] = value(x, 0) * weights[0] }
        for step in 1..<weights.count {
            let weight = weights[step]
            for x in row.indices { row[x] += (value(x, step) + value(x, -step)) * weight }
        }
    }
}
