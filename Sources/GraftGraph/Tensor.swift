/// A dense array of numbers in row-major order: what goes into a model and comes out of it.
///
/// Its elements are 32-bit floats, or ``ElementType/int32`` where they are ids. Arrays that are read and written at each
/// step of training may be stored in half the memory, as ``ElementType/bfloat16``. All of them are read as 32-bit floats, integers
/// beyond 2²⁴ rounded to the nearest; ``int32Scalars`` has those exactly.
///
/// A value type: copies share their memory until one of them is written to.
public struct Tensor: Sendable {
    /// The sizes of its axes.
    public let shape: Shape
    /// What its elements are stored as.
    public private(set) var elementType = ElementType.float32
    private var storage: TensorStorage

    /// An array of zeros.
    public init(zeros shape: Shape) { self.init(zeros: shape, as: .float32) }

    /// An array of zeros that are stored as this type.
    package init(zeros shape: Shape, as elementType: ElementType) {
        (self.shape, self.elementType) = (shape, elementType)
        storage = TensorStorage(zeroCount: TensorStorage.floatCount(shape.elementCount, elementType))
    }

    /// An array with the same number everywhere.
    public init(repeating value: Float, shape: Shape) { self.init(repeating: value, shape: shape, as: .float32) }

    /// An array with the same number everywhere, rounded to the nearest where it is stored in fewer bits.
    package init(repeating value: Float, shape: Shape, as elementType: ElementType) {
        // Not −0, which is equal to 0 and has another bit.
        if value.bitPattern == 0 {
            self.init(zeros: shape, as: elementType)
        } else if elementType == .float32 {
            self.init(uninitialized: shape) { $0.initialize(repeating: value) }
        } else {
            self.init(uninitialized: shape, as: elementType) { bytes in
                if elementType == .int32 {
                    bytes.initializeMemory(as: Int32.self, repeating: Int32(truncating: value))
                } else {
                    bytes.initializeMemory(as: UInt16.self, repeating: Self.half(value))
                }
            }
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

    /// An array whose memory `fill` writes, each element of it; of its size a file or an argument decides.
    ///
    /// - Throws: `GraftError` with code `backend` where the system gives no memory for it, and what `fill` throws.
    package init(
        checked shape: Shape, fill: (UnsafeMutableBufferPointer<Float>) throws(GraftError) -> Void
    ) throws(GraftError) {
        self.shape = shape
        storage = try TensorStorage(checked: shape.elementCount)
        try fill(storage.buffer)
    }

    /// An array of an element type, whose bytes `fill` writes, all of them.
    package init<Failure: Error>(
        uninitialized shape: Shape, as elementType: ElementType,
        fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        (self.shape, self.elementType) = (shape, elementType)
        storage = TensorStorage(count: TensorStorage.floatCount(shape.elementCount, elementType))
        try fill(bytes)
    }

    private init(shape: Shape, elementType: ElementType, storage: TensorStorage) {
        (self.shape, self.elementType, self.storage) = (shape, elementType, storage)
    }

    /// The number of elements.
    public var count: Int { shape.elementCount }

    /// All elements, copied out in row-major order.
    public var scalars: [Float] { withUnsafeBuffer { Array($0) } }

    /// The element at a row-major position.
    public subscript(position: Int) -> Float {
        guard elementType != .float32 else { return withUnsafeBuffer { $0[position] } }
        precondition((0..<count).contains(position), "\(position) is not among \(count) elements")
        defer { withExtendedLifetime(storage) {} }
        return number(at: position)
    }

    /// Reads the elements, in place where they are stored as 32-bit floats, else in a copy.
    public func withUnsafeBuffer<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard elementType == .float32 else { return try stored(as: .float32).withUnsafeBuffer(body) }
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeBufferPointer(rebasing: storage.buffer[0..<count]))
    }

    /// Writes the elements in place; copies them first where another value shares them or they are stored as something
    /// else than 32-bit floats, which they then become.
    public mutating func withUnsafeMutableBuffer<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        self = stored(as: .float32)
        makeUnique()
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableBufferPointer(rebasing: storage.buffer[0..<count]))
    }

    /// The same elements under another shape.
    ///
    /// - Precondition: both shapes have as many elements.
    public func reshaped(to shape: Shape) -> Tensor {
        precondition(shape.elementCount == count, "\(self.shape) cannot be reshaped to \(shape)")
        return Tensor(shape: shape, elementType: elementType, storage: storage)
    }

    /// The same numbers stored as another element type: rounded to the nearest where that has fewer bits, cut off towards 0
    /// where it has whole numbers alone. What both types hold stays as it is.
    public func stored(as elementType: ElementType) -> Tensor {
        guard elementType != self.elementType else { return self }
        defer { withExtendedLifetime(storage) {} }
        if elementType == .float32 {
            return Tensor(uninitialized: shape) { target in
                for index in 0..<count { target.initializeElement(at: index, to: number(at: index)) }
            }
        }
        return Tensor(uninitialized: shape, as: elementType) { target in
            withUnsafeBuffer { source in
                for (index, number) in source.enumerated() {
                    if elementType == .int32 {
                        target.storeBytes(of: Int32(truncating: number), toByteOffset: 4 * index, as: Int32.self)
                    } else {
                        target.storeBytes(of: Self.half(number), toByteOffset: 2 * index, as: UInt16.self)
                    }
                }
            }
        }
    }

    /// Whether the elements may be written in place: nothing else shares them.
    package mutating func isUnshared() -> Bool { isKnownUniquelyReferenced(&storage) }

    /// Whether both are the same elements in the same memory.
    package func sharesMemory(with other: Tensor) -> Bool {
        storage === other.storage && shape == other.shape && elementType == other.elementType
    }

    private mutating func makeUnique() {
        guard !isUnshared() else { return }
        let copy = TensorStorage(count: TensorStorage.floatCount(count, elementType))
        UnsafeMutableRawBufferPointer(copy.buffer).copyMemory(from: UnsafeRawBufferPointer(bytes))
        storage = copy
    }
}

// MARK: - As it is stored

extension Tensor {
    /// The bytes of all elements, of which nothing may hold on to the address without the tensor.
    private var bytes: UnsafeMutableRawBufferPointer {
        let all = UnsafeMutableRawBufferPointer(storage.buffer)
        return UnsafeMutableRawBufferPointer(rebasing: all[0..<byteCount])
    }

    /// How many bytes the elements take.
    package var byteCount: Int { count * elementType.byteCount }

    /// Reads the elements' bytes in place, as they are stored.
    package func withUnsafeStoredBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(bytes))
    }

    /// Writes the elements' bytes in place, as they are stored; copies them first where another value shares them.
    package mutating func withUnsafeMutableStoredBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        makeUnique()
        defer { withExtendedLifetime(storage) {} }
        return try body(bytes)
    }

    /// An element that is not stored as a 32-bit float.
    private func number(at position: Int) -> Float {
        elementType == .int32
            ? Float(bytes.load(fromByteOffset: 4 * position, as: Int32.self))
            : Float(bitPattern: UInt32(bytes.load(fromByteOffset: 2 * position, as: UInt16.self)) << 16)
    }

    private static func half(_ number: Float) -> UInt16 {
        UInt16(truncatingIfNeeded: ElementType.bfloat16.nearest(to: number).bitPattern >> 16)
    }
}

extension Tensor: Hashable {
    /// Equal shapes and equal elements, whatever they are stored as.
    public static func == (left: Tensor, right: Tensor) -> Bool {
        guard left.shape == right.shape else { return false }
        if left.storage === right.storage, left.elementType == right.elementType { return true }
        // Beyond 2²⁴ integers are closer to one another than floats.
        if left.elementType == .int32 || right.elementType == .int32 { return left.doubles == right.doubles }
        return left.withUnsafeBuffer { left in right.withUnsafeBuffer { left.elementsEqual($0) } }
    }

    /// Hashes the shape and the first few elements, so that the cost does not grow with the size.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(shape)
        for position in 0..<min(count, 16) { hasher.combine(self[position]) }
    }
}

extension Tensor {
    /// The elements of a row of the first axis.
    package func elements(ofRow row: Int) -> [Float] { elements(ofRow: row, size: count / max(shape[0], 1)) }

    /// The elements of a row where each has this size.
    package func elements(ofRow row: Int, size: Int) -> [Float] {
        withUnsafeBuffer { Array($0[(row * size)..<((row + 1) * size)]) }
    }
}
