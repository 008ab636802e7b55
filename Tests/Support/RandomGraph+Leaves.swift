import GraftGraph

extension RandomGraphBuilder {
    /// A new variable, input or constant of a shape.
    mutating func leaf(_ shape: Shape) throws -> ValueID {
        let array = random.array(shape)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6:
            let id = VariableID(variables.count)
            variables[id] = array
            return try graph.variable(id, shape)
        case 6..<9:
            let name = "input\(inputs.count)"
            inputs[name] = array
            return try graph.input(name, shape)
        default: return try graph.constant(array.tensor)
        }
    }

    /// A value of the graph that fits, or sometimes (and where none fits) a new leaf of a shape that does.
    mutating func value(
        orLeaf shape: (inout SplitMix) -> Shape, where fits: (Shape) -> Bool
    ) throws -> ValueID {
        let fitting = graph.nodes.indices.map(ValueID.init(index:)).filter { fits(graph.shape(of: $0)) }
        guard let last = fitting.last, !random.chance(0.2) else { return try leaf(shape(&random)) }
        return random.chance(0.5) ? last : random.pick(fitting)
    }

    /// Any value.
    mutating func anyValue() throws -> ValueID {
        try value(orLeaf: { $0.chance(0.5) ? $0.images() : $0.shape(rank: 0...3) }, where: { _ in true })
    }

    /// A value of rank 4.
    mutating func images() throws -> ValueID {
        try value(orLeaf: { $0.images() }, where: { $0.rank == 4 })
    }

    /// A value of at least one axis.
    mutating func array() throws -> ValueID {
        try value(orLeaf: { $0.shape(rank: 1...4) }, where: { $0.rank > 0 })
    }

    /// A value with every element above zero, made from another.
    mutating func positive(_ operand: ValueID) throws -> ValueID {
        try graph.binary(.add, graph.unary(.square, operand), 0.5)
    }
}

extension SplitMix {
    /// A size of an axis.
    package mutating func size(_ range: ClosedRange<Int> = 1...4) -> Int { Int.random(in: range, using: &self) }

    /// A shape of images: NHWC.
    mutating func images() -> Shape { [size(1...2), size(1...5), size(1...5), size()] }

    /// A shape of any of these ranks.
    mutating func shape(rank: ClosedRange<Int>) -> Shape { Shape((0..<size(rank)).map { _ in size() }) }

    /// A shape that broadcasts to another: leading axes left out, some axes of size 1.
    mutating func shape(broadcastingTo shape: Shape) -> Shape {
        let dropped = Int.random(in: 0...shape.rank, using: &self)
        return Shape(shape.dimensions.dropFirst(dropped).map { chance(0.3) ? 1 : $0 })
    }
}
