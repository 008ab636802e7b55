/// Names a buffer of a plan.
struct BufferID: Hashable, Sendable {
    let index: Int
}

/// Memory of a plan: one value, or several that share it.
struct Buffer: Sendable {
    /// Where the memory comes from.
    enum MemoryKind: Hashable, Sendable {
        /// The arena, at an offset that the schedule gives.
        case temporary
        /// Loop-invariant: computed when variables are bound.
        case prepared
        /// The input with this position.
        case input(Int)
        /// The variable with this position.
        case variable(Int)
        /// The next value of the variable with this position, which a step writes whole: in place, or to other memory where the
        /// variable's is shared.
        case nextValue(Int)
        /// The constant with this position.
        case constant(Int)
        /// A view of another buffer with a smaller index, at an offset in elements: a slice of its channels.
        case view(of: BufferID, offset: Int)
        /// The result with this position.
        case output(Int)
    }

    var kind: MemoryKind
    let elementCount: Int
    let elementType: ElementType
    var byteCount: Int { elementCount * elementType.byteCount }

    /// Whether it is multiplied in bfloat16; an optimizer's state is only stored so.
    var isBFloat16Activation: Bool {
        if case .variable = kind { return false }
        return elementType == .bfloat16
    }
}

/// A variable as a plan knows it.
struct PlannedVariable: Sendable {
    let id: VariableID
    let shape: Shape
    let elementType: ElementType
    let isUpdated: Bool
}
