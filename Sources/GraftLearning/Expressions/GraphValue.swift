import GraftGraph

/// A value of a graph that is being built, with arithmetic: losses, metrics and optimizers are written as formulas.
///
///     Loss("mean_squared_error") { predictions, targets in try (predictions - targets).squared() }
///
/// Every operator adds an operation to the graph; both sides must belong to the same ``GraphScope``. Shapes broadcast as
/// numpy's do; shapes that do not fit throw a `GraftError` with code `shape`.
public struct GraphValue {
    /// The graph it belongs to.
    package let scope: GraphScope
    /// Which value of the graph it is.
    package let id: ValueID

    /// The sizes of its axes; axis 0 of predictions and targets is the batch.
    public var shape: Shape { scope.graph.shape(of: id) }

    /// The operation that makes it, for formulas that look through an activation.
    var operation: Operation { scope.graph[id].operation }

    /// What the operation that makes it reads.
    var operands: [GraphValue] { scope.graph[id].operands.map { GraphValue(scope: scope, id: $0) } }
}

/// A graph while formulas add to it: the one place that all values of a formula refer to.
///
/// Used by one thread while a graph is built; take `graph` out of it when done.
public final class GraphScope {
    /// The graph as built so far.
    package var graph: Graph

    /// A scope that adds to this graph.
    package init(_ graph: Graph = Graph()) { self.graph = graph }

    /// A value of the graph, for formulas.
    package subscript(id: ValueID) -> GraphValue { GraphValue(scope: self, id: id) }

    /// A value given at each run under this name.
    package func input(_ name: String, _ shape: Shape) throws(GraftError) -> GraphValue {
        self[try graph.input(name, shape)]
    }

    /// A variable's value at the start of the run.
    package func variable(
        _ variable: VariableID, _ shape: Shape, as elementType: ElementType = .float32
    ) throws(GraftError) -> GraphValue {
        self[try graph.variable(variable, shape, as: elementType)]
    }

    /// A fixed array.
    package func constant(_ tensor: Tensor) throws(GraftError) -> GraphValue { self[try graph.constant(tensor)] }
}

// MARK: - Arithmetic

extension GraphValue {
    /// The sum.
    public static func + (left: Self, right: Self) throws(GraftError) -> Self { try left.binary(.add, right) }
    /// The sum with a fixed number.
    public static func + (left: Self, right: Float) throws(GraftError) -> Self { try left.binary(.add, right) }
    /// The difference.
    public static func - (left: Self, right: Self) throws(GraftError) -> Self { try left.binary(.subtract, right) }
    /// The difference to a fixed number.
    public static func - (left: Self, right: Float) throws(GraftError) -> Self { try left.binary(.subtract, right) }
    /// The difference from a fixed number.
    public static func - (left: Float, right: Self) throws(GraftError) -> Self {
        try right.scalar(left).binary(.subtract, right)
    }
    /// The product.
    public static func * (left: Self, right: Self) throws(GraftError) -> Self { try left.binary(.multiply, right) }
    /// The product with a fixed number.
    public static func * (left: Float, right: Self) throws(GraftError) -> Self {
        try right.scalar(left).binary(.multiply, right)
    }
    /// The quotient.
    public static func / (left: Self, right: Self) throws(GraftError) -> Self { try left.binary(.divide, right) }
    /// The quotient with a fixed number.
    public static func / (left: Self, right: Float) throws(GraftError) -> Self { try left.binary(.divide, right) }
    /// The quotient of a fixed number.
    public static func / (left: Float, right: Self) throws(GraftError) -> Self {
        try right.scalar(left).binary(.divide, right)
    }
    /// The value with its sign turned.
    public static prefix func - (operand: Self) throws(GraftError) -> Self { try operand.unary(.negate) }
}

// MARK: - Functions

extension GraphValue {
    /// A function of each element.
    public func unary(_ function: UnaryFunction) throws(GraftError) -> Self {
        scope[try scope.graph.unary(function, id)]
    }

    /// A function of each pair of elements, broadcast.
    public func binary(_ function: BinaryFunction, _ other: Self) throws(GraftError) -> Self {
        scope[try scope.graph.binary(function, id, other.id)]
    }

    /// A function of each element and a fixed number.
    public func binary(_ function: BinaryFunction, _ other: Float) throws(GraftError) -> Self {
        try binary(function, scalar(other))
    }

    /// The square of each element.
    public func squared() throws(GraftError) -> Self { try unary(.square) }

    /// The square root of each element.
    public func squareRoot() throws(GraftError) -> Self { try unary(.squareRoot) }

    /// The natural logarithm of each element.
    public func logarithm() throws(GraftError) -> Self { try unary(.logarithm) }

    /// Each element, but at least `lower` and at most `upper`.
    public func clipped(_ lower: Float, _ upper: Float) throws(GraftError) -> Self {
        try binary(.maximum, lower).binary(.minimum, upper)
    }

    /// This value where `condition` is not zero, `other` elsewhere.
    public func selected(where condition: Self, otherwise other: Self) throws(GraftError) -> Self {
        scope[try scope.graph.select(condition.id, id, other.id)]
    }

    /// The logarithm of softmax over the last axis.
    public func logSoftmax() throws(GraftError) -> Self { scope[try scope.graph.logSoftmax(id)] }

    /// The same elements under another shape.
    public func reshaped(to shape: Shape) throws(GraftError) -> Self { scope[try scope.graph.reshape(id, to: shape)] }

    /// A reduction over these axes (all where `nil`; negative ones count from the last).
    public func reduced(
        _ function: ReductionFunction, axes: [Int]? = nil, keepDimensions: Bool = false
    ) throws(GraftError) -> Self {
        scope[try scope.graph.reduce(function, id, axes: axes, keepDimensions: keepDimensions)]
    }

    /// The mean over everything but the batch axis: one number an example.
    public func meanPerExample() throws(GraftError) -> Self {
        try reduced(.mean, axes: Array(1..<max(shape.rank, 1)))
    }

    /// A fixed number in the same graph.
    public func scalar(_ value: Float) throws(GraftError) -> Self { scope[try scope.graph.constant(value)] }

    /// 0, 1, 2, … as many as the last axis is long, in the same graph.
    func positionsOfLastAxis() throws(GraftError) -> Self {
        let count = shape.last
        return try scope.constant(Tensor((0..<count).map(Float.init), shape: [count]))
    }
}
