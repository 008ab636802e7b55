/// Names one piece of a plan's memory.
struct BufferID: Hashable, Sendable {
    let index: Int
}

/// A piece of a plan's memory: one value, or several that share it.
struct Buffer: Sendable {
    /// Where the memory comes from.
    enum Place: Hashable, Sendable {
        /// The arena, at an offset that the schedule gives.
        case temporary
        /// Computed when variables are bound, and kept.
        case prepared
        /// The input with this position.
        case input(Int)
        /// The variable with this position.
        case variable(Int)
        /// The next value of the variable with this position, all of which a step writes: the variable's own memory, or
        /// another where somebody shares that.
        case nextValue(Int)
        /// The constant with this position.
        case constant(Int)
        /// Inside of another buffer with a smaller number, so many elements behind its start: a slice of its channels.
        case part(of: BufferID, offset: Int)
        /// The result with this position.
        case output(Int)
    }

    var place: Place
    let elementCount: Int
    let elementType: ElementType
    var byteCount: Int { elementCount * elementType.byteCount }

    /// Whether what reads it multiplies in bfloat16; an optimizer's state is only stored so.
    var isNarrowActivation: Bool {
        if case .variable = place { return false }
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
