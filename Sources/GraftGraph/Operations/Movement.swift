/// The same numbers in other places, under another shape or of another type.
public enum Movement: Hashable, Sendable {
    /// `operand`: the same numbers, rounded to another element type; to integers they are cut off towards 0.
    case cast(ElementType)
    /// `operand`: repeated to the shape, by numpy's rule.
    case broadcast(Shape)
    /// `operand`: the same elements in row-major order under another shape.
    case reshape(Shape)
    /// `operand`: zeros before and after each axis.
    case pad(before: [Int], after: [Int])
    /// `operand`: the part that begins at `start` and has the sizes `shape`.
    case slice(start: [Int], Shape)
    /// `operands…`: joined along one axis.
    case concatenation(axis: Int)
}

extension Movement: OperationRule {
    package var name: String {
        switch self {
        case .cast: "cast"
        case .broadcast: "broadcast"
        case .reshape: "reshape"
        case .pad: "pad"
        case .slice: "slice"
        case .concatenation: "concatenation"
        }
    }

    package var operandCount: Int? { if case .concatenation = self { nil } else { 1 } }

    package var attributeShapes: [Shape] {
        switch self {
        case .broadcast(let shape), .reshape(let shape), .slice(_, let shape): [shape]
        case .cast, .pad, .concatenation: []
        }
    }

    package func shape(of operands: [Shape]) throws(GraftError) -> Shape {
        let operand = operands[0]
        switch self {
        case .cast: return operand
        case .broadcast(let shape): return try require(shape, equals: operand.broadcast(with: shape), giving: shape)
        case .reshape(let shape):
            guard shape.elementCount == operand.elementCount else {
                throw mismatch("\(operand) has \(operand.elementCount) elements, \(shape) \(shape.elementCount)")
            }
            return shape
        case .pad(let before, let after): return try paddedShape(operand, before, after)
        case .slice(let start, let shape): return try slicedShape(operand, start, shape)
        case .concatenation(let axis): return try concatenatedShape(operands, axis)
        }
    }

    package var typeRule: TypeRule {
        switch self {
        case .cast(let type): .conversion(type)
        case .reshape: .ofOperand
        case .broadcast, .pad, .slice, .concatenation: .rounded
        }
    }

    package var precision: PrecisionRule {
        switch self {
        case .pad, .slice, .concatenation: .anyOperand
        case .reshape: .view
        case .cast, .broadcast: .full
        }
    }

    package func gradient(
        ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let (operand, gradient) = (step.operand(position), step.gradient)
        let shape = graph.shape(of: operand)
        switch self {
        // As if rounding had the slope 1, which it has on the mean.
        case .cast: return try graph.cast(gradient, to: graph[operand].elementType)
        case .broadcast: return try graph.reduced(gradient, to: shape)
        case .reshape: return try graph.reshape(gradient, to: shape)
        case .pad(let before, _): return try graph.slice(gradient, start: before, shape: shape)
        case .slice(let start, let part):
            let after = shape.dimensions.indices.map { shape[$0] - start[$0] - part[$0] }
            return try graph.pad(gradient, before: start, after: after)
        case .concatenation(let axis):
            // Each operand gets its part of the gradient.
            var start = [Int](repeating: 0, count: shape.rank)
            start[axis] = step.node.operands.prefix(position).reduce(0) { $0 + graph.shape(of: $1)[axis] }
            return try graph.slice(gradient, start: start, shape: shape)
        }
    }

    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        switch self {
        case .cast: operands[0]
        case .broadcast(let shape): operands[0].broadcast(to: shape)
        case .reshape(let shape): operands[0].reshaped(to: shape)
        case .pad(let before, _): operands[0].copied(into: ReferenceArray(shape: result), at: before)
        case .slice(let start, let shape): operands[0].part(at: start, shape)
        case .concatenation(let axis): Self.concatenated(operands, axis: axis, result: result)
        }
    }

    package var isCheapToRepeat: Bool {
        switch self {
        case .cast, .broadcast, .reshape, .pad: true
        case .slice, .concatenation: false
        }
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool {
        switch self {
        case .cast, .broadcast: operands.allSatisfy { $0.matches(result) }
        // The split follows the batch through a reshape itself.
        case .reshape: result.rank > 0 && result[0] == operands[0].shape[0]
        case .pad(let before, let after): before[0] == 0 && after[0] == 0
        case .slice(let start, _): start[0] == 0 && result[0] == operands[0].shape[0]
        case .concatenation(let axis): axis > 0 && operands.allSatisfy(\.isPerExample)
        }
    }
}

/// Shape rules.
extension Movement {
    private func paddedShape(_ operand: Shape, _ before: [Int], _ after: [Int]) throws(GraftError) -> Shape {
        guard before.count == operand.rank, after.count == operand.rank, (before + after).allSatisfy({ $0 >= 0 }) else {
            throw mismatch("pads \(before) and \(after) do not fit \(operand)")
        }
        return Shape(operand.dimensions.indices.map { saturatingSum(before[$0], operand[$0], after[$0]) })
    }

    private func slicedShape(_ operand: Shape, _ start: [Int], _ shape: Shape) throws(GraftError) -> Shape {
        guard start.count == operand.rank, shape.rank == operand.rank,
            operand.dimensions.indices.allSatisfy({
                start[$0] >= 0 && start[$0] <= operand[$0] && shape[$0] <= operand[$0] - start[$0]
            })
        else { throw mismatch("the part of shape \(shape) at \(start) is not inside \(operand)") }
        return shape
    }

    private func concatenatedShape(_ operands: [Shape], _ axis: Int) throws(GraftError) -> Shape {
        var result = operands[0]
        guard result.dimensions.indices.contains(axis) else { throw mismatch("\(result) has no axis \(axis)") }
        for operand in operands.dropFirst() {
            var (left, right) = (result, operand)
            guard right.rank == left.rank else { throw mismatch("\(operand) does not join \(operands[0])") }
            (left[axis], right[axis]) = (1, 1)
            guard left == right else { throw mismatch("\(operand) does not join \(operands[0]) along axis \(axis)") }
            result[axis] = saturatingSum(result[axis], operand[axis])
        }
        return result
    }
}

/// References.
extension Movement {
    /// The operands one after the other along an axis.
    private static func concatenated(_ operands: [ReferenceArray], axis: Int, result: Shape) -> ReferenceArray {
        var joined = ReferenceArray(shape: result)
        var start = [Int](repeating: 0, count: result.rank)
        for operand in operands {
            joined = operand.copied(into: joined, at: start)
            start[axis] += operand.shape[axis]
        }
        return joined
    }
}

extension ReferenceArray {
    /// A larger array with this one in the place that begins at `start`.
    fileprivate func copied(into whole: ReferenceArray, at start: [Int]) -> ReferenceArray {
        var whole = whole
        let strides = whole.shape.strides
        let first = zip(start, strides).reduce(0) { $0 + $1.0 * $1.1 }
        forEachPosition(in: shape, from: first, steps: strides) { from, to in whole.values[to] = values[from] }
        return whole
    }

    /// The part that begins at `start`.
    fileprivate func part(at start: [Int], _ shape: Shape) -> ReferenceArray {
        let strides = self.shape.strides
        return gathered(shape, from: zip(start, strides).reduce(0) { $0 + $1.0 * $1.1 }, steps: strides)
    }
}

/// What would change nothing adds no node.
extension Graph {
    /// The same elements in row-major order under another shape.
    public mutating func reshape(_ operand: ValueID, to shape: Shape) throws(GraftError) -> ValueID {
        guard shape != self.shape(of: operand) else { return operand }
        let node = self[operand]
        if case .movement(.reshape) = node.operation { return try reshape(node.operands[0], to: shape) }
        return try add(.movement(.reshape(shape)), [operand], as: node.elementType)
    }

    /// The operand's numbers rounded to another element type; to integers they are cut off towards 0.
    public mutating func cast(_ operand: ValueID, to type: ElementType) throws(GraftError) -> ValueID {
        guard type != self[operand].elementType else { return operand }
        return try add(.movement(.cast(type)), [operand])
    }

    /// The operand repeated to a shape by numpy's rule.
    public mutating func broadcast(_ operand: ValueID, to shape: Shape) throws(GraftError) -> ValueID {
        guard shape != self.shape(of: operand) else { return operand }
        return try add(.movement(.broadcast(shape)), [operand])
    }

    /// The operands joined along an axis, a negative one counted from the last.
    public mutating func concatenate(_ operands: [ValueID], axis: Int) throws(GraftError) -> ValueID {
        guard let first = operands.first else {
            throw GraftError(.shape, "operation concatenation: takes at least one operand, was given none")
        }
        let axis = axis < 0 ? axis + shape(of: first).rank : axis
        guard operands.count > 1 || !(0..<shape(of: first).rank).contains(axis) else { return first }
        return try add(.movement(.concatenation(axis: axis)), operands)
    }

    /// The part that begins at `start` and has the sizes `shape`.
    public mutating func slice(_ operand: ValueID, start: [Int], shape: Shape) throws(GraftError) -> ValueID {
        if shape == self.shape(of: operand), start == [Int](repeating: 0, count: shape.rank) { return operand }
        return try add(.movement(.slice(start: start, shape)), [operand])
    }

    /// Zeros before and after each axis.
    public mutating func pad(_ operand: ValueID, before: [Int], after: [Int]) throws(GraftError) -> ValueID {
        let none = [Int](repeating: 0, count: shape(of: operand).rank)
        if before == none, after == none { return operand }
        return try add(.movement(.pad(before: before, after: after)), [operand])
    }
}
