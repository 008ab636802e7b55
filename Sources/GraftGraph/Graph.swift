/// Operations and the values between them: forward, gradient and update together.
///
/// Nodes are in an order in which every operand comes before its use. A node is its one result, so a ``ValueID`` is
/// a position in `nodes`. A graph is a value; passes are functions from graph to graph.
public struct Graph: Sendable {
    /// One operation with what it reads.
    public struct Node: Sendable {
        /// What is computed.
        public let operation: Operation
        /// What it reads, in the operation's order.
        public let operands: [ValueID]
        /// The shape of the result.
        public let shape: Shape
        /// What the result is rounded to and stored as.
        public let elementType: ElementType
        /// The layer this came from, for profiles and messages; empty where there is none.
        public let label: String

        /// A node apart from any graph, for what looks at one operation alone.
        package init(
            _ operation: Operation, operands: [ValueID] = [], shape: Shape, elementType: ElementType = .float32,
            label: String = ""
        ) {
            (self.operation, self.operands, self.shape, self.label) = (operation, operands, shape, label)
            self.elementType = elementType
        }
    }

    /// What a run writes back to a variable when everything else is done.
    public struct Update: Hashable, Sendable {
        /// The variable.
        public var variable: VariableID
        /// Its next value, of its shape.
        public var value: ValueID
        /// A variable and its next value.
        public init(variable: VariableID, value: ValueID) { (self.variable, self.value) = (variable, value) }
    }

    /// All nodes, operands before uses.
    public private(set) var nodes: [Node] = []
    /// What a run returns, in order.
    public var outputs: [ValueID] = []
    /// What a run writes back, at most one a variable.
    public var updates: [Update] = []
    /// The label that new nodes get.
    public var currentLabel = ""
    private var existing: [Key: ValueID] = [:]

    private struct Key: Hashable {
        let operation: Operation
        let operands: [ValueID]
        let elementType: ElementType
    }

    /// An empty graph.
    public init() {}

    /// The node that makes a value.
    public subscript(value: ValueID) -> Node { nodes[value.index] }

    /// The shape of a value.
    public func shape(of value: ValueID) -> Shape { nodes[value.index].shape }

    /// Adds an operation, or finds the same one with the same operands (common subexpressions are computed once).
    ///
    /// - Parameters:
    ///   - operation: what is computed.
    ///   - operands: what it reads, of any element types.
    ///   - elementType: what the result is rounded to; float32 where it is not said. A cast has its own, a reshape its
    ///     operand's. Only an input may be int32; other integers come of a cast.
    /// - Throws: ``GraftError`` with code `shape` where the operands do not fit the operation, and `argument` where one
    ///   is of another graph, or the operation does not give the element type.
    public mutating func add(
        _ operation: Operation, _ operands: [ValueID] = [], as elementType: ElementType? = nil
    ) throws(GraftError) -> ValueID {
        if let stranger = operands.first(where: { !nodes.indices.contains($0.index) }) {
            throw GraftError(
                .argument,
                "operation \(operation.name): operand \(stranger.index) is not among the graph's \(nodes.count) values")
        }
        let elementType = try operation.resultType(wanted: elementType, operands: operands.map { self[$0].elementType })
        let key = Key(operation: operation, operands: operands, elementType: elementType)
        if let value = existing[key] { return value }
        let shape = try operation.resultShape(operands.map { self.shape(of: $0) })
        let value = ValueID(index: nodes.count)
        nodes.append(
            Node(operation, operands: operands, shape: shape, elementType: elementType, label: currentLabel))
        existing[key] = value
        return value
    }
}

/// A value in a graph: the result of the node at this position.
public struct ValueID: Hashable, Sendable, Comparable {
    /// The position in the graph's nodes.
    public let index: Int
    /// The value of the node at this position.
    public init(index: Int) { self.index = index }
    /// By position.
    public static func < (left: Self, right: Self) -> Bool { left.index < right.index }
}
