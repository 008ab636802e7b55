/// Dot products of rows of doubles.
enum DotProducts {
    /// `Σ a[i] b[i]`.
    static func one(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, count: Int) -> Double {
        var sums = SIMD4<Double>()
        var place = 0
        while place + 4 <= count {
            sums += load(a, place) * load(b, place)
            place += 4
        }
        var sum = sums.sum()
        while place < count {
            sum += a[place] * b[place]
            place += 1
        }
        return sum
    }

    /// The products of up to four rows with one, which is read once for all of them.
    static func four(
        _ rows: UnsafePointer<Double>, stride: Int, rows count: Int, _ other: UnsafePointer<Double>, count length: Int
    ) -> SIMD4<Double> {
        guard count == 4 else {
            var sums = SIMD4<Double>()
            for row in 0..<count { sums[row] = one(rows + row * stride, other, count: length) }
            return sums
        }
        let (a, b, c, d) = (rows, rows + stride, rows + 2 * stride, rows + 3 * stride)
        var (p, q, r, s) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
        var place = 0
        while place + 4 <= length {
            let value = load(other, place)
            p += load(a, place) * value
            q += load(b, place) * value
            r += load(c, place) * value
            s += load(d, place) * value
            place += 4
        }
        var sums = SIMD4(p.sum(), q.sum(), r.sum(), s.sum())
        while place < length {
            sums += SIMD4(a[place], b[place], c[place], d[place]) * other[place]
            place += 1
        }
        return sums
    }

    /// `X Xᵀ` of rows, its lower triangle, shared among threads.
    static func gram(_ rows: [Double], count: Int, width: Int) -> [Double] {
        var result = [Double](repeating: 0, count: count * count)
        rows.withUnsafeBufferPointer { rows in
            result.withUnsafeMutableBufferPointer { result in
                guard let rows = rows.baseAddress, let result = result.baseAddress else { return }
                let shared = SharedRows(source: rows, target: result)
                ParallelRows.perform(count: (count + 3) / 4) { shared.gram(block: $0, count: count, width: width) }
            }
        }
        return result
    }

    @inline(__always)
    private static func load(_ pointer: UnsafePointer<Double>, _ place: Int) -> SIMD4<Double> {
        UnsafeRawPointer(pointer + place).loadUnaligned(as: SIMD4<Double>.self)
    }
}

/// Rows that threads read, and rows that each writes alone.
private struct SharedRows: @unchecked Sendable {  // each thread writes rows of its own
    let source: UnsafePointer<Double>
    let target: UnsafeMutablePointer<Double>

    func gram(block: Int, count: Int, width: Int) {
        let first = 4 * block
        let part = min(4, count - first)
        for other in 0..<(first + part) {
            let sums = DotProducts.four(
                source + first * width, stride: width, rows: part, source + other * width, count: width)
            for row in 0..<part where other <= first + row { target[(first + row) * count + other] = sums[row] }
        }
    }
}
