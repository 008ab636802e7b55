/// What a variable's size adds to the loss while it trains: `l1 · Σ |w| + l2 · Σ w²`, or what keeps the rows or columns
/// of a matrix from pointing the same way.
///
///     Dense(256, activation: .relu, kernelRegularizer: .l2(1e-4))
///
/// The variables of frozen layers add nothing, as in Keras. Training and evaluation show the loss with what is added.
/// Of a layer's output, ``Layer/activityRegularizer`` adds the same, divided by the number of examples.
///
/// Source: keras/src/regularizers/regularizers.py, version 3.15.
public struct Regularizer: Hashable, Sendable {
    /// Which vectors of a matrix are to be orthogonal to one another.
    public enum Vectors: String, Hashable, Sendable, CaseIterable {
        /// The rows.
        case rows
        /// The columns.
        case columns
    }

    /// The factor of the sum of magnitudes.
    public var l1: Float
    /// The factor of the sum of squares; there is no ½.
    public var l2: Float
    /// The factor of the mean of |cos| of the angles between a matrix's vectors, and which those are.
    let orthogonality: (factor: Float, vectors: Vectors)?
    /// Keras's class name: `L1`, `L2`, `L1L2` or `OrthogonalRegularizer`.
    let className: String

    private init(_ className: String, l1: Float = 0, l2: Float = 0, orthogonality: (Float, Vectors)? = nil) {
        (self.className, self.l1, self.l2, self.orthogonality) = (className, l1, l2, orthogonality)
    }

    /// Magnitudes alone.
    public static func l1(_ factor: Float = 0.01) -> Regularizer { Regularizer("L1", l1: factor) }

    /// Squares alone.
    public static func l2(_ factor: Float = 0.01) -> Regularizer { Regularizer("L2", l2: factor) }

    /// Both.
    public static func l1l2(l1: Float = 0, l2: Float = 0) -> Regularizer { Regularizer("L1L2", l1: l1, l2: l2) }

    /// For a matrix: `factor · Σ |cos(vᵢ, vⱼ)| / (n · (n − 1))` over all pairs i ≠ j of its rows or columns v.
    public static func orthogonal(_ factor: Float = 0.01, _ vectors: Vectors = .rows) -> Regularizer {
        Regularizer("OrthogonalRegularizer", orthogonality: (factor, vectors))
    }

    private var factors: [Float] { orthogonality.map { [$0.factor] } ?? [l1, l2] }

    /// - Throws: ``GraftError`` with code `argument` where a factor is negative or no number, or the shape does not fit.
    func validate(_ argument: String, _ shape: Shape? = nil) throws(GraftError) {
        guard factors.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            let shown = factors.map(\.description).joined(separator: " and ")
            throw GraftError(.argument, "\(argument) has the factors \(shown); they must be 0 or more")
        }
        if orthogonality != nil, let shape, shape.rank != 2 {
            throw GraftError(
                .argument, "\(argument) is of matrices; the shape \(shape) has \(shape.rank) axes: use L1 or L2")
        }
    }

    /// Equal in class and numbers.
    public static func == (left: Self, right: Self) -> Bool {
        left.className == right.className && left.factors == right.factors
            && left.orthogonality?.vectors == right.orthogonality?.vectors
    }

    /// Of class and numbers.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(className)
        hasher.combine(factors)
    }
}

extension Regularizer {
    /// What a value adds to the loss: a scalar; `nil` where all factors are 0.
    package func lower(_ value: ValueID, in graph: inout Graph) throws(GraftError) -> ValueID? {
        if let orthogonality {
            return try Self.orthogonality(of: value, orthogonality.factor, orthogonality.vectors, in: &graph)
        }
        var sum: ValueID?
        for (factor, function) in [(l1, UnaryFunction.absolute), (l2, .square)] where factor != 0 {
            let total = try graph.reduce(.sum, graph.unary(function, value))
            let term = try graph.binary(.multiply, factor, total)
            sum = try sum.map { (left) throws(GraftError) in try graph.binary(.add, left, term) } ?? term
        }
        return sum
    }

    /// The products of all pairs of vectors of length 1, without those of a vector with itself.
    private static func orthogonality(
        of matrix: ValueID, _ factor: Float, _ vectors: Vectors, in graph: inout Graph
    ) throws(GraftError) -> ValueID? {
        let shape = graph.shape(of: matrix)
        let count = shape[vectors == .rows ? 0 : 1]
        guard factor != 0, count > 1 else { return nil }
        let unit = try graph.unitVectors(matrix, axes: [vectors == .rows ? 1 : 0], smallestSquare: 1e-14)
        let product = try graph.batchedMatrixProduct(
            unit, unit, transposeLeft: vectors == .columns, transposeRight: vectors == .rows)
        let others = Tensor(
            (0..<count * count).map { $0 / count == $0 % count ? 0 : 1 }, shape: [count, count])
        let cosines = try graph.binary(.multiply, graph.unary(.absolute, product), graph.constant(others))
        return try graph.binary(.multiply, factor / Float(count * (count - 1)), graph.reduce(.sum, cosines))
    }
}

extension Graph {
    /// Vectors along some axes divided by their length, which counts as at least the root of a number.
    mutating func unitVectors(
        _ operand: ValueID, axes: [Int], smallestSquare: Float
    ) throws(GraftError) -> ValueID {
        let squares = try reduce(.sum, unary(.square, operand), axes: axes, keepDimensions: true)
        let bounded = try binary(.maximum, squares, smallestSquare)
        return try binary(.multiply, operand, unary(.reciprocalSquareRoot, bounded))
    }
}
