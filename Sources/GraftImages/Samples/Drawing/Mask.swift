/// How much of each pixel in a box a figure covers, 0 to 1.
struct Mask {
    /// The box's upper left pixel.
    let x: Int
    let y: Int
    let width: Int
    let height: Int
    var values: [Float]

    /// What polygons cover together of a square image. Exact areas, so that edges are smooth without oversampling; where
    /// they overlap, edges may come out a little too strong.
    init(_ outlines: [Outline], side: Int) {
        let points = outlines.lazy.flatMap(\.points)
        var low = Point(repeating: Float(side))
        var high = Point(repeating: 0)
        for point in points {
            low = pointwiseMin(low, point)
            high = pointwiseMax(high, point)
        }
        let limit = Float(side)
        x = Int(max(low.x, 0).rounded(.down))
        y = Int(max(low.y, 0).rounded(.down))
        width = max(0, Int(min(high.x, limit).rounded(.up)) - x)
        height = max(0, Int(min(high.y, limit).rounded(.up)) - y)
        values = []
        guard width > 0, height > 0 else { return }
        var coverage = SignedCoverage(width: width, height: height)
        let origin = Point(Float(x), Float(y))
        for outline in outlines where outline.points.count > 2 {
            coverage.add(outline, origin: origin, isReversed: outline.signedArea > 0)
        }
        values = coverage.sums()
    }

    init(_ outline: Outline, side: Int) { self.init([outline], side: side) }

    /// Takes away what another mask covers.
    mutating func subtract(_ other: Mask) {
        for row in max(y, other.y)..<max(y, other.y, min(y + height, other.y + other.height)) {
            for column in max(x, other.x)..<max(x, other.x, min(x + width, other.x + other.width)) {
                let hole = other.values[(row - other.y) * other.width + column - other.x]
                values[(row - y) * width + column - x] *= 1 - hole
            }
        }
    }

    /// The mask on a whole image.
    func plane(side: Int) -> Plane {
        var plane = Plane(side: side)
        plane.cover(with: self)
        return plane
    }
}

/// Signed areas of a polygon to the right of each of its edges; their sums along a row are what it covers.
///
/// Source: R. Levien, "Inside the fastest font renderer in the world", 2016.
private struct SignedCoverage {
    private let grid: Grid
    private var areas: [Float]

    init(width: Int, height: Int) {
        grid = Grid(width: width, height: height)
        areas = [Float](repeating: 0, count: grid.rowLength * height)
    }

    mutating func add(_ outline: Outline, origin: Point, isReversed: Bool) {
        let (count, grid) = (outline.points.count, grid)
        areas.withUnsafeMutableBufferPointer { areas in
            var last = outline.points[count - 1] - origin
            for point in outline.points {
                let next = point - origin
                isReversed ? grid.addEdge(from: next, to: last, &areas) : grid.addEdge(from: last, to: next, &areas)
                last = next
            }
        }
    }

    /// What is covered of each pixel.
    func sums() -> [Float] {
        var values = [Float](repeating: 0, count: grid.width * grid.height)
        for row in 0..<grid.height {
            var sum: Float = 0
            for column in 0..<grid.width {
                sum += areas[row * grid.rowLength + column]
                values[row * grid.width + column] = min(max(sum, 0), 1)
            }
        }
        return values
    }

    /// The pixels of a box; a row has two more, as an edge at its end spills over.
    private struct Grid {
        let width: Int
        let height: Int
        var rowLength: Int { width + 2 }

        func addEdge(from start: Point, to end: Point, _ areas: inout UnsafeMutableBufferPointer<Float>) {
            guard start.y != end.y else { return }
            let sign: Float = start.y < end.y ? 1 : -1
            let (top, bottom) = start.y < end.y ? (start, end) : (end, start)
            guard bottom.y > 0, top.y < Float(height) else { return }
            let slope = (bottom.x - top.x) / (bottom.y - top.y)
            var x = top.y < 0 ? top.x - top.y * slope : top.x
            let first = Int(max(top.y, 0))
            let last = min(height, Int(bottom.y.rounded(.up)))
            guard first < last else { return }
            for row in first..<last {
                let rise = min(Float(row + 1), bottom.y) - max(Float(row), top.y)
                let next = x + slope * rise
                addSpan(from: x, to: next, area: rise * sign, at: row * rowLength, &areas)
                x = next
            }
        }

        /// The part of an edge in one row, divided among the pixels that it crosses.
        private func addSpan(
            from start: Float, to end: Float, area: Float, at row: Int, _ areas: inout UnsafeMutableBufferPointer<Float>
        ) {
            let limit = Float(width)
            let low = min(max(min(start, end), 0), limit)
            let high = min(max(max(start, end), 0), limit)
            let firstEdge = low.rounded(.down)
            let first = row + Int(firstEdge)
            let last = row + Int(high.rounded(.up))
            guard last > first + 1 else {
                let middle = (low + high) / 2 - firstEdge
                areas[first] += area * (1 - middle)
                areas[first + 1] += area * middle
                return
            }
            // The covered part of each pixel grows with the square of the way in it, then evenly, then with the square again.
            let pace = 1 / (high - low)
            let entry = 1 - (low - firstEdge)
            let exit = high - high.rounded(.up) + 1
            let head = pace * entry * entry / 2
            let tail = pace * exit * exit / 2
            areas[first] += area * head
            if last == first + 2 {
                areas[first + 1] += area * (1 - head - tail)
            } else {
                let second = pace * (entry + 0.5)
                areas[first + 1] += area * (second - head)
                for position in (first + 2)..<(last - 1) { areas[position] += area * pace }
                let before = second + Float(last - first - 3) * pace
                areas[last - 1] += area * (1 - before - tail)
            }
            areas[last] += area * tail
        }
    }
}
