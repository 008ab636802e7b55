/// A batch of rows compressed by a bitmap: a bit for each element, set where it is not +0.0, and those elements alone.
///
/// What comes out of a ReLU is mostly zeros, and is kept and read in this form. Each row is a mask, the first element's bit
/// the lowest of the first 64-bit word and no bit set beyond the last element, then a 32-bit float for each set bit; both
/// little-endian, as in the files of kept features. A backend brings rows into whatever form its kernels read.
package struct BitmapRows: Sendable {
    /// The batch's shape; its first axis is the rows.
    package let shape: Shape
    /// Where each row begins, in bytes; the end of the last one after them.
    private let offsets: [Int]
    private let memory: Tensor

    /// A row in memory; ``spareByteCount`` bytes more may be read after it.
    package struct Row {
        /// The first byte of its mask.
        package let mask: UnsafeRawPointer
        /// The first byte of its values.
        package let values: UnsafeRawPointer

        /// A row at these places.
        package init(mask: UnsafeRawPointer, values: UnsafeRawPointer) { (self.mask, self.values) = (mask, values) }
    }

    /// As many bytes as may be read after a row, so that it can be copied in blocks.
    package static let spareByteCount = 64

    /// The 64-bit words of a row's mask.
    package static func wordCount(_ rowSize: Int) -> Int { (rowSize + 63) / 64 }

    /// Rows that `fill` writes.
    ///
    /// - Parameters:
    ///   - shape: the batch's shape, as many rows as `byteCounts`.
    ///   - byteCounts: the bytes of each row, mask and values.
    ///   - pool: where memory comes from.
    ///   - fill: called for each row with its number and its bytes; has to leave a valid row there.
    package init(
        _ shape: Shape, byteCounts: [Int], in pool: TensorPool = TensorPool(capacity: 0),
        fill: (Int, UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        self.shape = shape
        var offsets = [0]
        for count in byteCounts { offsets.append(offsets[offsets.count - 1] + count) }
        self.offsets = offsets
        let count = (offsets[offsets.count - 1] + Self.spareByteCount) / MemoryLayout<Float>.stride + 1
        memory = try pool.tensor([TensorPool.roomyCount(count)]) { memory in
            let bytes = UnsafeMutableRawBufferPointer(memory)
            for (number, size) in byteCounts.enumerated() {
                try fill(number, UnsafeMutableRawBufferPointer(rebasing: bytes[offsets[number]...].prefix(size)))
            }
        }
    }

    /// The rows of a dense array, what is after its first axis being a row.
    package init(_ tensor: Tensor) {
        let rows = tensor.shape.rowCount
        let size = rows == 0 ? 0 : tensor.count / rows
        let maskByteCount = 8 * Self.wordCount(size)
        let byteCounts = tensor.withUnsafeBuffer { elements in
            (0..<rows).map { row in
                maskByteCount + 4 * elements[(row * size)..<((row + 1) * size)].count { $0.bitPattern != 0 }
            }
        }
        self.init(tensor.shape, byteCounts: byteCounts) { row, bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            var position = maskByteCount
            tensor.withUnsafeBuffer { elements in
                for index in 0..<size where elements[row * size + index].bitPattern != 0 {
                    bytes[index / 8] |= 1 << UInt8(index % 8)
                    let value = elements[row * size + index].bitPattern.littleEndian
                    bytes.storeBytes(of: value, toByteOffset: position, as: UInt32.self)
                    position += 4
                }
            }
        }
    }

    /// The number of rows.
    package var rowCount: Int { offsets.count - 1 }
    /// The elements of a row.
    package var rowSize: Int { rowCount == 0 ? 0 : shape.elementCount / rowCount }
    /// How many elements are not +0.0.
    package var valueCount: Int {
        (offsets[rowCount] - 8 * Self.wordCount(rowSize) * rowCount) / MemoryLayout<Float>.stride
    }

    /// All rows in order, for reading while `body` runs.
    package func withRows<Result>(_ body: ([Row]) throws -> Result) rethrows -> Result {
        let maskByteCount = 8 * Self.wordCount(rowSize)
        return try memory.withUnsafeBuffer { memory in
            guard let base = UnsafeRawBufferPointer(memory).baseAddress else { return try body([]) }
            return try body(
                offsets.dropLast().map { Row(mask: base + $0, values: base + $0 + maskByteCount) })
        }
    }

    /// The same batch as a dense array.
    package var tensor: Tensor {
        let size = rowSize
        return Tensor(uninitialized: shape) { target in
            guard var target = target.baseAddress else { return }
            withRows { rows in
                for row in rows {
                    Self.expand(row, count: size, into: UnsafeMutableRawPointer(target))
                    target += size
                }
            }
        }
    }

    /// Writes all elements of a row: zeros those of a word of the mask at once, then sets those that are marked.
    ///
    /// - Parameters:
    ///   - count: the elements.
    ///   - target: four bytes for each, aligned as they are.
    package static func expand(_ row: Row, count: Int, into target: UnsafeMutableRawPointer) {
        var (target, source) = (target, row.values)
        for word in 0..<wordCount(count) {
            target.initializeMemory(as: UInt8.self, repeating: 0, count: 4 &* min(64, count &- 64 &* word))
            var rest = UInt64(littleEndian: row.mask.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
            while rest != 0 {
                let value = UInt32(littleEndian: source.loadUnaligned(as: UInt32.self))
                target.storeBytes(of: value, toByteOffset: 4 &* rest.trailingZeroBitCount, as: UInt32.self)
                source += 4
                rest &= rest &- 1
            }
            target += 256
        }
    }
}

/// An input's values on the host: a dense array, or rows compressed by a bitmap.
package enum HostArray: Sendable {
    /// All elements.
    case dense(Tensor)
    /// Rows most of whose elements are zero.
    case bitmap(BitmapRows)

    /// The shape, the batch's rows in front.
    package var shape: Shape {
        switch self {
        case .dense(let tensor): tensor.shape
        case .bitmap(let rows): rows.shape
        }
    }

    /// The same values as a dense array; a copy of compressed rows.
    package var tensor: Tensor {
        switch self {
        case .dense(let tensor): tensor
        case .bitmap(let rows): rows.tensor
        }
    }

    /// Whether its rows are compressed.
    package var isBitmap: Bool {
        if case .bitmap = self { true } else { false }
    }
}

extension Shape {
    /// The size of the first axis; a scalar is one row.
    package var rowCount: Int { rank == 0 ? 1 : self[0] }
}
