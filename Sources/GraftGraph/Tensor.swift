/// A dense array of 32-bit floats in row-major order: what goes into a model and comes out of it.
///
/// A value type: copies share their memory until one of them is written to.
public struct Tensor: Sendable {
    /// The sizes of its axes.
    public let shape: Shape
    private var storage: TensorStorage

    /// An array of zeros.
    public init(zeros shape: Shape) {
        self.shape = shape
        storage = TensorStorage(zeroCount: shape.elementCount)
    }

    /// An array with the same number everywhere.
    public init(repeating value: Float, shape: Shape) {
        // Not −0, which is equal to 0 and has another bit.
        if value.bitPattern == 0 {
            self.init(zeros: shape)
        } else {
            self.init(uninitialized: shape) { $0.initialize(repeating: value) }
        }
    }

    /// An array of these numbers in row-major order.
    ///
    /// - Precondition: `scalars.count == shape.elementCount`.
    public init(_ scalars: [Float], shape: Shape) {
        precondition(scalars.count == shape.elementCount, "\(scalars.count) numbers do not fill the shape \(shape)")
        self.init(uninitialized: shape) { _ = $0.initialize(from: scalars) }
    }

    /// A scalar, of rank 0.
    public init(_ scalar: Float) { self.init([scalar], shape: []) }

    /// An array whose memory `fill` writes, each element of it.
    public init(uninitialized shape: Shape, fill: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
        self.shape = shape
        storage = TensorStorage(count: shape.elementCount)
        try fill(storage.buffer)
    }

    /// An array over memory that somebody else allocated, a mapped file for instance.
    package init(shape: Shape, storage: TensorStorage) {
        precondition(storage.buffer.count >= shape.elementCount, "the storage is smaller than the shape \(shape)")
        self.shape = shape
        self.storage = storage
    }

    /// The number of elements.
    public var count: Int { shape.elementCount }

    /// All elements, copied out in row-major order.
    public var scalars: [Float] { withUnsafeBuffer { Array($0) } }

    /// The element at a row-major position.
    public subscript(position: Int) -> Float { withUnsafeBuffer { $0[position] } }

    /// Reads the elements in place.
    public func withUnsafeBuffer<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeBufferPointer(rebasing: storage.buffer[0..<count]))
    }

    /// Writes the elements in place; copies them first where another value shares them.
    public mutating func withUnsafeMutableBuffer<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        makeUnique()
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableBufferPointer(rebasing: storage.buffer[0..<count]))
    }

    /// The same elements under another shape.
    ///
    /// - Precondition: both shapes have as many elements.
    public func reshaped(to shape: Shape) -> Tensor {
        precondition(shape.elementCount == count, "\(self.shape) cannot be reshaped to \(shape)")
        return Tensor(shape: shape, storage: storage)
    }

    /// Whether the elements may be written in place: nobody else shares them.
    package mutating func isUnshared() -> Bool { !storage.isReadOnly && isKnownUniquelyReferenced(&storage) }

    /// Whether both are the same elements in the same memory.
    package func sharesMemory(with other: Tensor) -> Bool { storage === other.storage && shape == other.shape }

    private mutating func makeUnique() {
        guard !isUnshared() else { return }
        let copy = TensorStorage(count: count)
        _ = copy.buffer.initialize(from: storage.buffer[0..<count])
        storage = copy
    }
}

extension Tensor: Hashable {
    /// Equal shapes and equal elements.
    public static func == (left: Tensor, right: Tensor) -> Bool {
        guard left.shape == right.shape else { return false }
        if left.storage === right.storage { return true }
        return left.withUnsafeBuffer { left in right.withUnsafeBuffer { left.elementsEqual($0) } }
    }

    /// Hashes the shape and the first few elements, so that the cost does not grow with the size.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(shape)
        withUnsafeBuffer { for element in $0.prefix(16) { hasher.combine(element) } }
    }
}

/// Memory for a tensor's elements, aligned for the widest vector loads.
///
/// Sendable because a tensor writes to it only while it holds the one reference.
package final class TensorStorage: @unchecked Sendable {
    package let buffer: UnsafeMutableBufferPointer<Float>
    /// Whether the memory must not be written to, as that of a file mapped for reading.
    package let isReadOnly: Bool
    private let release: @Sendable (UnsafeMutableRawPointer) -> Void

    /// The alignment of allocated memory in bytes: a cache line, and a 512-bit vector.
    package static let alignment = 64

    package init(count: Int) {
        let byteCount = max(count, 1) * MemoryLayout<Float>.stride
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: LargePages.alignment(forByteCount: byteCount))
        LargePages.advise(bytes, byteCount: byteCount)
        buffer = UnsafeMutableBufferPointer(start: bytes.bindMemory(to: Float.self, capacity: count), count: count)
        isReadOnly = false
        release = { $0.deallocate() }
    }

    /// Zeros. Large arrays are new memory of the system, which is zero without being written to: pages are made ready by
    /// the threads that use them first, and where several do, by all of them.
    package convenience init(zeroCount count: Int) {
        let byteCount = count * MemoryLayout<Float>.stride
        guard let bytes = LargePages.zeros(byteCount: byteCount) else {
            self.init(count: count)
            buffer.initialize(repeating: 0)
            return
        }
        let buffer = UnsafeMutableBufferPointer(start: bytes.bindMemory(to: Float.self, capacity: count), count: count)
        self.init(buffer: buffer, isReadOnly: false) { LargePages.releaseZeros($0, byteCount: byteCount) }
    }

    /// Takes memory that `release` frees.
    package init(
        buffer: UnsafeMutableBufferPointer<Float>, isReadOnly: Bool,
        release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.buffer = buffer
        self.isReadOnly = isReadOnly
        self.release = release
    }

    deinit {
        if let base = buffer.baseAddress { release(UnsafeMutableRawPointer(base)) }
    }
}
