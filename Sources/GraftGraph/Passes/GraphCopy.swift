/// A graph being copied into another one, node by node, with changes on the way: how every pass is written.
struct GraphCopy {
    let source: Graph
    /// The new graph so far.
    var result = Graph()
    private var images: [ValueID?]

    init(_ source: Graph) {
        self.source = source
        images = [ValueID?](repeating: nil, count: source.nodes.count)
    }

    /// The value of the new graph that replaces one of the source.
    ///
    /// - Precondition: the value was copied or replaced before.
    subscript(value: ValueID) -> ValueID {
        guard let image = images[value.index] else {
            preconditionFailure("value \(value.index) (\(source[value].operation.name)) was not copied before its use")
        }
        return image
    }

    /// Copies a node as it is; its operands were copied before.
    mutating func copy(_ value: ValueID) throws(GraftError) {
        try replace(value, by: source[value].operation, source[value].operands.map { self[$0] })
    }

    /// Puts another operation, on values of the new graph, in the place of a node, with the node's element type.
    mutating func replace(
        _ value: ValueID, by operation: Operation, _ operands: [ValueID] = []
    ) throws(GraftError) {
        result.currentLabel = source[value].label
        images[value.index] = try result.add(operation, operands, as: source[value].elementType)
    }

    /// Maps a value of the source to one of the new graph.
    mutating func replace(_ value: ValueID, by image: ValueID) { images[value.index] = image }

    /// The new graph, with the source's outputs and updates, without what they do not need.
    consuming func finish(pass: StaticString = #function) throws(GraftError) -> Graph {
        result.outputs = source.outputs.map { self[$0] }
        result.updates = source.updates.map { Graph.Update(variable: $0.variable, value: self[$0.value]) }
        result.currentLabel = source.currentLabel
        return try result.pruned().verified(after: pass)
    }
}
