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
            // One value more, as the last pixel is read with the value after it.
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: source.rowCount + 1) { sums in
                for y in 0..<height {
                    let range = y * rows..<min((y + 1) * rows, source.height)
                    sums.update(repeating: 0)
                    for row in range { add(source.row(row), to: sums, count: source.rowCount) }
                    let target = UnsafeMutableBufferPointer(rebasing: pixels[(y * rowCount)..<((y + 1) * rowCount)])
                    RowReduction(sums: UnsafeBufferPointer(sums), source: source, columns: columns, rows: range.count)
                        .write(to: target)
                }
            }
            guard let first = pixels.baseAddress else { return body(source) }
            return body(
                PixelRows(first: UnsafePointer(first), height: height, width: width, channels: source.channels))
        }
    }

    private static func add(
        _ row: UnsafePointer<UInt8>, to sums: UnsafeMutableBufferPointer<UInt32>, count: Int
    ) {
        for index in 0..<count { sums[index] &+= UInt32(row[index]) }
    }
}

/// One row of means from the sums of a block's rows.
private struct RowReduction {
    let sums: UnsafeBufferPointer<UInt32>
    let source: PixelRows
    let columns: Int
    let rows: Int

    func write(to target: UnsafeMutableBufferPointer<UInt8>) {
        let width = target.count / source.channels
        let full = writeFullColours(to: target)
        for x in full..<width { writeBlock(x, to: target) }
    }

    /// The colours of blocks that are full, four values at a time, whose fourth belongs to the next pixel; sums fit in 32
    /// bits.
    ///
    /// - Returns: how many blocks there are of those.
    private func writeFullColours(to target: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let count = columns * rows
        guard source.channels == 3, count.nonzeroBitCount == 1, count <= 1 << 24 else { return 0 }
        let shift = UInt32(count.trailingZeroBitCount)
        let (full, bytes) = (source.width / columns, UnsafeRawBufferPointer(sums))
        for x in 0..<full {
            var sum = SIMD4<UInt32>(repeating: UInt32(count / 2))
            for column in x * columns..<(x + 1) * columns {
                sum &+= bytes.loadUnaligned(fromByteOffset: 12 * column, as: SIMD4<UInt32>.self)
            }
            sum &>>= SIMD4(repeating: shift)
            target[3 * x] = UInt8(truncatingIfNeeded: sum.x)
            target[3 * x + 1] = UInt8(truncatingIfNeeded: sum.y)
            target[3 * x + 2] = UInt8(truncatingIfNeeded: sum.z)
        }
        return full
    }

    /// Any block.
    private func writeBlock(_ x: Int, to target: UnsafeMutableBufferPointer<UInt8>) {
        let channels = source.channels
        let range = x * columns..<min((x + 1) * columns, source.width)
        let count = UInt64(range.count * rows)
        for channel in 0..<channels {
            var sum = count / 2
            for column in range { sum &+= UInt64(sums[column * channels + channel]) }
            target[x * channels + channel] = UInt8(truncatingIfNeeded: sum / count)
        }
    }
}
