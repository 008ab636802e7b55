import GraftGraph

/// Bilinear interpolation of an image at the places of an affine map, in one pass.
struct AffineResample {
    private let source: PixelRows
    private let height: Int
    private let width: Int
    /// From the pixel (x, y) of the result to a place among the source's pixel centres.
    private let map: AffineMap
    private let fill: FillMode
    private let fillValue: Float

    /// - Parameters:
    ///   - height: the rows of the result.
    ///   - width: its columns.
    ///   - map: from the result to the source, in pixels; (0, 0) is the centre of the first one in both.
    init(from source: PixelRows, height: Int, width: Int, map: AffineMap, fill: FillMode, fillValue: Float) {
        (self.source, self.height, self.width, self.map) = (source, height, width, map)
        (self.fill, self.fillValue) = (fill, fillValue)
    }

    /// Writes all rows of the result one after another.
    func write(to target: UnsafeMutablePointer<Float>) {
        var result = target
        for y in 0..<height {
            let row = Row(start: map(0, Double(y)), dx: map.xx, dy: map.yx)
            let interior = interior(of: row)
            writeEdge(row, 0..<interior.lowerBound, to: result)
            if source.channels == 3 {
                writeColours(row, interior, to: result)
            } else {
                writeGreys(row, interior, to: result)
            }
            writeEdge(row, interior.upperBound..<width, to: result)
            result += width * source.channels
        }
    }

    /// The places of one row.
    private struct Row {
        let start: (x: Double, y: Double)
        let dx: Double
        let dy: Double

        @inline(__always)
        func place(_ x: Int) -> (x: Double, y: Double) { (start.x + Double(x) * dx, start.y + Double(x) * dy) }
    }

    // MARK: Inside

    /// Whether the four pixels around a place may be read four bytes at a time: one pixel more to the right than is needed
    /// lies in the image too.
    private func isInterior(_ place: (x: Double, y: Double)) -> Bool {
        place.x >= 0 && place.x < Double(source.width - 2) && place.y >= 0 && place.y < Double(source.height - 1)
    }

    /// The stretch of a row whose places are all interior; without the last pixel, after which is no room for a fourth
    /// value. Places are monotonic along a row, rounded as they are, so that its two ends tell.
    private func interior(of row: Row) -> Range<Int> {
        var (low, high) = (0.0, Double(width - 1))
        for (start, step, limit) in [
            (row.start.x, row.dx, Double(source.width - 2)), (row.start.y, row.dy, Double(source.height - 1)),
        ] {
            guard step != 0 else {
                if start < 0 || start >= limit { return 0..<0 }
                continue
            }
            let (first, last) = (-start / step, (limit - start) / step)
            (low, high) = (max(low, min(first, last)), min(high, max(first, last)))
        }
        guard low <= high else { return 0..<0 }
        var (lower, upper) = (Int(low.rounded(.up)), Int(high.rounded(.up)))
        while lower < upper, !isInterior(row.place(lower)) { lower += 1 }
        while lower < upper, !isInterior(row.place(upper - 1)) { upper -= 1 }
        return lower < upper ? lower..<upper : 0..<0
    }

    /// Works on four values at a time; the fourth belongs to the next pixel, which overwrites it.
    private func writeColours(_ row: Row, _ range: Range<Int>, to result: UnsafeMutablePointer<Float>) {
        let (bytes, rowCount) = (UnsafeRawPointer(source.first), source.rowCount)
        let floats = UnsafeMutableRawPointer(result)
        @inline(__always) func pixel(_ offset: Int) -> SIMD4<Float> {
            SIMD4<Float>(bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt8>.self))
        }
        for x in range {
            let place = row.place(x)
            let (column, line) = (Int(place.x), Int(place.y))
            let (right, down) = (Float(place.x - Double(column)), Float(place.y - Double(line)))
            let offset = line &* rowCount &+ 3 &* column
            let (first, third) = (pixel(offset), pixel(offset &+ rowCount))
            let upper = first + (pixel(offset &+ 3) - first) * right
            let lower = third + (pixel(offset &+ rowCount &+ 3) - third) * right
            floats.storeBytes(of: upper + (lower - upper) * down, toByteOffset: 12 &* x, as: SIMD4<Float>.self)
        }
    }

    private func writeGreys(_ row: Row, _ range: Range<Int>, to result: UnsafeMutablePointer<Float>) {
        for x in range {
            let place = row.place(x)
            let (column, line) = (Int(place.x), Int(place.y))
            let (right, down) = (Float(place.x - Double(column)), Float(place.y - Double(line)))
            let (upper, lower) = (source.row(line) + column, source.row(line + 1) + column)
            result[x] = Self.blend(
                Float(upper[0]), Float(upper[1]), Float(lower[0]), Float(lower[1]), right: right, down: down)
        }
    }

    // MARK: At the edge

    /// Pixels whose neighbours may lie outside; any place will do.
    private func writeEdge(_ row: Row, _ range: Range<Int>, to result: UnsafeMutablePointer<Float>) {
        let channels = source.channels
        for x in range {
            let place = row.place(x)
            let (column, line) = (Self.floor(place.x), Self.floor(place.y))
            let (right, down) = (Float(place.x - Double(column)), Float(place.y - Double(line)))
            let corners = (
                pixel(line, column), pixel(line, column + 1), pixel(line + 1, column), pixel(line + 1, column + 1)
            )
            for channel in 0..<channels {
                result[channels * x + channel] = Self.blend(
                    value(corners.0, channel), value(corners.1, channel), value(corners.2, channel),
                    value(corners.3, channel), right: right, down: down)
            }
        }
    }

    /// The whole number below; places are at most some millions, whatever a recipe says.
    @inline(__always)
    private static func floor(_ place: Double) -> Int {
        let whole = Int(place)
        return Double(whole) > place ? whole - 1 : whole
    }

    /// The pixel that represents one that may lie outside; `nil` where the constant does.
    private func pixel(_ line: Int, _ column: Int) -> UnsafePointer<UInt8>? {
        guard let line = fill.position(line, count: source.height),
            let column = fill.position(column, count: source.width)
        else { return nil }
        return source.row(line) + column * source.channels
    }

    private func value(_ pixel: UnsafePointer<UInt8>?, _ channel: Int) -> Float {
        pixel.map { Float($0[channel]) } ?? fillValue
    }

    /// First along the row, then between the two rows, as ``BilinearResize`` does it.
    private static func blend(
        _ first: Float, _ second: Float, _ third: Float, _ fourth: Float, right: Float, down: Float
    ) -> Float {
        let upper = first + (second - first) * right
        let lower = third + (fourth - third) * right
        return upper + (lower - upper) * down
    }
}
