/// Values that depend on no other value.
public enum Leaf: Hashable, Sendable {
    /// A value given at each run, by name.
    case input(String, Shape)
    /// A variable's value at the start of the run.
    case variable(VariableID, Shape)
    /// A fixed array.
    case constant(Tensor)
}

/// Names a variable across graphs; unique among the variables of one graph.
public struct VariableID: Hashable, Sendable, Comparable {
    /// The number.
    public let rawValue: Int
    /// The variable with this number.
    public init(_ rawValue: Int) { self.rawValue = rawValue }
    /// By number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Leaf: OperationRule {
    package var name: String {
        switch self {
        case .input: "input"
        case .variable: "variable"
        case .constant: "constant"
        }
    }

    package var operandCount: Int? { 0 }

    package var attributeShapes: [Shape] {
        switch self {
        case .input(_, let shape), .variable(_, let shape): [shape]
        case .constant: []
        }
    }

    package func shape(of operands: [Shape]) -> Shape {
        switch self {
        case .input(_, let shape), .variable(_, let shape): shape
        case .constant(let tensor): tensor.shape
        }
    }

    package var typeRule: TypeRule {
        switch self {
        case .variable: .stored
        case .input: .given
        case .constant(let tensor): .fixed(tensor.elementType == .int32 ? .int32 : .float32)
        }
    }

    package func gradient(ofOperand position: Int, _ step: BackwardStep, in graph: inout Graph) -> ValueID? { nil }

    /// A constant's numbers; zeros in place of what a run gives.
    package func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
        if case .constant(let tensor) = self { ReferenceArray(tensor) } else { ReferenceArray(shape: result) }
    }

    package func keepsExamplesApart(_ operands: [ExampleOperand], result: Shape) -> Bool { false }
}

extension Graph {
    /// A value given at each run under this name; the same name always has the same shape and type.
    ///
    /// - Parameter elementType: ``ElementType/float32``, or ``ElementType/int32`` for ids.
    public mutating func input(
        _ name: String, _ shape: Shape, as elementType: ElementType = .float32
    ) throws(GraftError) -> ValueID {
        try add(.leaf(.input(name, shape)), as: elementType)
    }

    /// The value of a variable at the start of a run.
    ///
    /// - Parameter elementType: what the variable is stored as; all that reads or updates it must agree.
    public mutating func variable(
        _ variable: VariableID, _ shape: Shape, as elementType: ElementType = .float32
    ) throws(GraftError) -> ValueID {
        try add(.leaf(.variable(variable, shape)), as: elementType)
    }

    /// A fixed scalar, of shape `[]`.
    public mutating func constant(_ value: Float) throws(GraftError) -> ValueID { try constant(Tensor(value)) }

    /// A fixed array; one of integers stays one.
    public mutating func constant(_ tensor: Tensor) throws(GraftError) -> ValueID { try add(.leaf(.constant(tensor))) }

    /// The number of a constant of one element whose shape cannot change another's, or `nil`.
    func scalarConstant(_ value: ValueID) -> Float? {
        guard case .leaf(.constant(let tensor)) = self[value].operation, tensor.shape == [],
            tensor.elementType != .int32
        else { return nil }
        return tensor[0]
    }
}
