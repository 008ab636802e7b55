import GraftGraph

extension RandomGraphBuilder {
    mutating func addShape(_ kind: OperationKind) throws {
        switch kind {
        case .reduction(let function):
            let operand = try array()
            let axes = (0..<graph.shape(of: operand).rank).filter { _ in random.chance(0.5) }
            _ = try graph.reduce(
                function, operand, axes: axes.isEmpty ? nil : axes, keepDimensions: random.chance(0.5))
        case .broadcast: try addBroadcast()
        case .reshape:
            let operand = try array()
            let shape = graph.shape(of: operand)
            let joined = Shape([shape[0], shape.elementCount / shape[0]])
            _ = try graph.reshape(
                operand, to: random.pick([[shape.elementCount], joined, Shape(shape.dimensions + [1])]))
        case .pad:
            let operand = try array()
            let rank = graph.shape(of: operand).rank
            _ = try graph.pad(
                operand, before: (0..<rank).map { _ in random.size(0...2) },
                after: (0..<rank).map { _ in random.size(0...2) })
        case .slice: try addSlice()
        case .concatenation: try addConcatenation()
        case .softmax: _ = try graph.softmax(array())
        default: _ = try graph.logSoftmax(array())
        }
    }

    private mutating func addBroadcast() throws {
        let operand = try anyValue()
        let shape = graph.shape(of: operand)
        let leading = (0..<random.size(0...2)).map { _ in random.size() }
        let rest = shape.dimensions.map { $0 == 1 ? random.size() : $0 }
        guard shape.rank + leading.count <= 4 else { throw GraftError(.shape, "too many axes") }
        _ = try graph.broadcast(operand, to: Shape(leading + rest))
    }

    private mutating func addSlice() throws {
        let operand = try array()
        let shape = graph.shape(of: operand)
        let start = shape.dimensions.map { random.size(0...$0 - 1) }
        let part = zip(shape.dimensions, start).map { random.size(1...$0 - $1) }
        _ = try graph.slice(operand, start: start, shape: Shape(part))
    }

    private mutating func addConcatenation() throws {
        let first = try array()
        let shape = graph.shape(of: first)
        let axis = random.size(0...shape.rank - 1)
        var operands = [first]
        for _ in 0..<random.size(1...2) {
            var other = shape
            other[axis] = random.size(1...3)
            let fits = { (candidate: Shape) in
                var candidate = candidate
                guard candidate.rank == shape.rank else { return false }
                candidate[axis] = shape[axis]
                return candidate == shape
            }
            try operands.append(value(orLeaf: { _ in other }, where: fits))
        }
        _ = try graph.concatenate(operands, axis: axis)
    }
}
