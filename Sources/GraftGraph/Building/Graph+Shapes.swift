/// Reductions, and the same elements under other shapes. What would change nothing adds no node.
extension Graph {
    /// A reduction over some axes.
    ///
    /// - Parameters:
    ///   - function: the sum, mean or maximum.
    ///   - operand: what is reduced.
    ///   - axes: the axes, negative ones counted from the last; all of them where `nil`.
    ///   - keepDimensions: whether the axes stay, with size 1.
    public mutating func reduce(
        _ function: ReductionFunction, _ operand: ValueID, axes: [Int]? = nil, keepDimensions: Bool = false
    ) throws(GraftError) -> ValueID {
        let shape = shape(of: operand)
        let wanted = (axes ?? Array(0..<shape.rank)).map { $0 < 0 ? $0 + shape.rank : $0 }.sorted()
        guard Set(wanted).count == wanted.count, wanted.allSatisfy({ (0..<shape.rank).contains($0) }) else {
            throw GraftError(.shape, "operation reduction: axes \(axes ?? []) are not distinct axes of \(shape)")
        }
        // Axis 0 may be the batch: a graph for one example must mix examples where one for several does.
        let long = wanted.filter { shape[$0] != 1 || $0 == 0 }
        let reduced = long.isEmpty ? operand : try add(.reduction(function, axes: long), [operand])
        guard !keepDimensions else { return reduced }
        let kept = Set(wanted)
        return try reshape(reduced, to: Shape((0..<shape.rank).filter { !kept.contains($0) }.map { shape[$0] }))
    }

    /// The same elements in row-major order under another shape.
    public mutating func reshape(_ operand: ValueID, to shape: Shape) throws(GraftError) -> ValueID {
        guard shape != self.shape(of: operand) else { return operand }
        let node = self[operand]
        if case .reshape = node.operation { return try reshape(node.operands[0], to: shape) }
        return try add(.reshape(shape), [operand], as: node.elementType)
    }

    /// The operand's numbers rounded to another element type.
    public mutating func cast(_ operand: ValueID, to type: ElementType) throws(GraftError) -> ValueID {
        guard type != self[operand].elementType else { return operand }
        return try add(.cast(type), [operand])
    }

    /// The operand's numbers rounded to bfloat16 up or down by chance, anew at each run: see ``StochasticRounding``.
    ///
    /// - Parameter stream: the number of the stream; two values with one stream are rounded by the same random bits.
    public mutating func roundStochastically(
        _ operand: ValueID, stream: UInt64
    ) throws(GraftError) -> ValueID {
        try add(.stochasticRounding(stream: stream), [operand])
    }

    /// The operand repeated to a shape by numpy's rule.
    public mutating func broadcast(_ operand: ValueID, to shape: Shape) throws(GraftError) -> ValueID {
        guard shape != self.shape(of: operand) else { return operand }
        return try add(.broadcast(shape), [operand])
    }

    /// The operands joined along an axis, a negative one counted from the last.
    public mutating func concatenate(_ operands: [ValueID], axis: Int) throws(GraftError) -> ValueID {
        guard let first = operands.first else {
            throw GraftError(.shape, "operation concatenation: takes at least one operand, was given none")
        }
        let axis = axis < 0 ? axis + shape(of: first).rank : axis
        guard operands.count > 1 || !(0..<shape(of: first).rank).contains(axis) else { return first }
        return try add(.concatenation(axis: axis), operands)
    }

    /// The part that begins at `start` and has the sizes `shape`.
    public mutating func slice(_ operand: ValueID, start: [Int], shape: Shape) throws(GraftError) -> ValueID {
        if shape == self.shape(of: operand), start == [Int](repeating: 0, count: shape.rank) { return operand }
        return try add(.slice(start: start, shape), [operand])
    }

    /// Zeros before and after each axis.
    public mutating func pad(_ operand: ValueID, before: [Int], after: [Int]) throws(GraftError) -> ValueID {
        let none = [Int](repeating: 0, count: shape(of: operand).rank)
        if before == none, after == none { return operand }
        return try add(.pad(before: before, after: after), [operand])
    }

    /// Softmax over the last axis.
    public mutating func softmax(_ operand: ValueID) throws(GraftError) -> ValueID { try add(.softmax, [operand]) }

    /// The logarithm of softmax over the last axis, stable for large numbers.
    public mutating func logSoftmax(_ operand: ValueID) throws(GraftError) -> ValueID {
        try add(.logSoftmax, [operand])
    }
}
