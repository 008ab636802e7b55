import GraftGraph

/// Bytes that are handed out piece by piece: of structures and of arrays, which are not copied before.
///
/// Not for use from several threads at once.
final class ByteStream {
    /// What the stream consists of.
    enum Segment {
        case bytes([UInt8])
        case zeros(Int)
        case floats(Tensor)
        /// The elements of a tensor as they are stored.
        case stored(Tensor)
        case integers([Int64])

        var byteCount: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .zeros(let count): count
            case .floats(let tensor): 4 * tensor.count
            case .stored(let tensor): tensor.byteCount
            case .integers(let values): 8 * values.count
            }
        }

        /// Copies bytes from a place on, as many as the buffer takes.
        func copy(from start: Int, to buffer: UnsafeMutableRawBufferPointer) {
            func copy(_ source: UnsafeRawBufferPointer) {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + buffer.count]))
            }
            switch self {
            case .bytes(let bytes): bytes.withUnsafeBufferPointer { copy(UnsafeRawBufferPointer($0)) }
            case .zeros: buffer.initializeMemory(as: UInt8.self, repeating: 0)
            case .floats(let tensor): tensor.withUnsafeBuffer { copy(UnsafeRawBufferPointer($0)) }
            case .stored(let tensor): tensor.withUnsafeStoredBytes(copy)
            case .integers(let values): values.withUnsafeBufferPointer { copy(UnsafeRawBufferPointer($0)) }
            }
        }
    }

    /// The number of all bytes.
    let byteCount: Int
    private let segments: [Segment]
    private var segment = 0
    private var position = 0

    init(_ segments: [Segment]) {
        self.segments = segments
        byteCount = segments.reduce(0) { $0 + $1.byteCount }
    }

    /// Goes back to the beginning.
    func rewind() { (segment, position) = (0, 0) }

    /// The next bytes; fewer than the buffer takes only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < buffer.count, segment < segments.count {
            let count = min(buffer.count - filled, segments[segment].byteCount - position)
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count])
            if count > 0 { segments[segment].copy(from: position, to: piece) }
            filled += count
            position += count
            if position == segments[segment].byteCount { (segment, position) = (segment + 1, 0) }
        }
        return filled
    }

    /// Writes all bytes to a new file, or one that is empty.
    ///
    /// - Throws: `.file` where something is in it, or the disk refuses.
    func write(to path: String) throws(GraftError) {
        let file = try File(filling: path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        rewind()
        while true {
            let count = read(into: buffer)
            if count == 0 { return }
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
        }
    }
}
