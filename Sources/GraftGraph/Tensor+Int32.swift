extension Tensor {
    /// An array of these integers in row-major order, stored as ``ElementType/int32``: ids of tokens for instance.
    ///
    /// - Precondition: `scalars.count == shape.elementCount`.
    @_disfavoredOverload  // So that a literal stays one of floats.
    public init(_ scalars: [Int32], shape: Shape) {
        precondition(scalars.count == shape.elementCount, "\(scalars.count) numbers do not fill the shape \(shape)")
        self.init(uninitialized: shape, as: .int32) { bytes in
            scalars.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    /// All elements as integers, copied out in row-major order: those of ``ElementType/int32`` exactly, others cut off towards 0.
    public var int32Scalars: [Int32] {
        stored(as: .int32).withUnsafeStoredBytes { Array($0.bindMemory(to: Int32.self)) }
    }

    /// All elements, each exactly.
    var doubles: [Double] {
        elementType == .int32 ? int32Scalars.map(Double.init) : withUnsafeBuffer { $0.map(Double.init) }
    }
}
