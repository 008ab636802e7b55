/// Averages blocks of pixels, so that a view that shrinks its image many times sees all of it: antialiasing.
///
/// Blocks are a power of two high and wide; those at the right and lower edge may be smaller. Means are rounded to 8 bits.
enum BoxReduction {
    /// How many pixels along an axis make one, where a view's neighbouring pixels lie so far apart in the image: the largest
    /// power of two that is no more, so that the view interpolates between means that lie less than two steps apart.
    static func factor(forStep step: Double) -> Int {
        var factor = 1
        while Double(2 * factor) <= step, factor < 1 << 14 { factor *= 2 }
        return factor
    }

    /// The reduced image; calls `body` with rows that live as long as the call.
    static func withReduced<Result>(
        _ source: PixelRows, rows: Int, columns: Int, _ body: (PixelRows) -> Result
    ) -> Result {
        guard rows > 1 || columns > 1 else { return body(source) }
        let (height, width) = ((source.height + rows - 1) / rows, (source.width + columns - 1) / columns)
        let rowCount = width * source.channels
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: height * rowCount) { pixels in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: source.rowCount) { sums in
                for y in 0..<height {
                    let range = y * rows..<min((y + 1) * rows, source.height)
                    sums.update(repeating: 0)
                    for row in range { add(source.row(row), to: sums) }
                    let target = UnsafeMutableBufferPointer(rebasing: pixels[(y * rowCount)..<((y + 1) * rowCount)])
                    reduce(sums, source, columns: columns, rowsInBlock: range.count, to: target)
                }
            }
            guard let first = pixels.baseAddress else { return body(source) }
            return body(
                PixelRows(first: UnsafePointer(first), height: height, width: width, channels: source.channels))
        }
    }

    private static func add(_ row: UnsafePointer<UInt8>, to sums: UnsafeMutableBufferPointer<UInt32>) {
        for index in 0..<sums.count { sums[index] &+= UInt32(row[index]) }
    }

    /// One row of means from the sums of a block's rows.
    private static func reduce(
        _ sums: UnsafeMutableBufferPointer<UInt32>, _ source: PixelRows, columns: Int, rowsInBlock: Int,
        to target: UnsafeMutableBufferPointer<UInt8>
    ) {
        let channels = source.channels
        for x in 0..<(target.count / channels) {
            let range = x * columns..<min((x + 1) * columns, source.width)
            let count = UInt64(range.count * rowsInBlock)
            for channel in 0..<channels {
                var sum: UInt64 = 0
                for column in range { sum &+= UInt64(sums[column * channels + channel]) }
                target[x * channels + channel] = UInt8(truncatingIfNeeded: (sum + count / 2) / count)
            }
        }
    }
}
