import GraftGraph
import GraftSystem

extension ONNXExporter {
    /// What works on single numbers takes its operands in either order of axes, and gives its result in the same.
    mutating func addElementwise(_ id: ValueID, _ node: Graph.Node, _ operation: Elementwise) throws(GraftError) {
        let isFirst =
            node.shape.rank == 4 && node.operands.contains { isChannelsFirst($0) }
            && node.operands.allSatisfy { canBeChannelsFirst($0) }
        var operands: [String] = []
        for operand in node.operands {
            let value = try isFirst ? broadcastChannelsFirst(operand, node.label) : plain(operand, label: node.label)
            // Ids are numbers like others to the graph; ONNX has one type for all operands.
            operands.append(
                graph[operand].elementType == .int32 ? cast(value, to: .float32, node.label) : value)
        }
        let result: String
        switch operation {
        case .unary(let function): result = unary(function, operands[0], node.label)
        case .binary(let function): result = binary(function, operands, node.label)
        case .select:
            let condition = cast(operands[0], to: .boolean, node.label)
            result = self.node("Where", [condition, operands[1], operands[2]], label: node.label)
        case .fused: throw refusal(of: node)
        }
        if isFirst { setChannelsFirst(id, result) } else { setPlain(id, result) }
    }

    /// Four axes, or numbers for each channel, or one number.
    private func canBeChannelsFirst(_ id: ValueID) -> Bool {
        let rank = graph.shape(of: id).rank
        return rank == 4 || (isConstant(id) && rank <= 1)
    }

    private mutating func broadcastChannelsFirst(_ id: ValueID, _ label: String) throws(GraftError) -> String {
        let shape = graph.shape(of: id)
        guard shape.rank == 1 else {
            return try shape.rank == 4 ? channelsFirst(id, label: label) : plain(id, label: label)
        }
        return try floats(constant(id).scalars, [shape[0], 1, 1], label: label, "constant")
    }

    mutating func cast(_ value: String, to kind: ONNXValue.Kind, _ label: String) -> String {
        node("Cast", [value], label: label, [("to", .int(kind.rawValue))])
    }

    private mutating func unary(_ function: UnaryFunction, _ x: String, _ label: String) -> String {
        switch function {
        case .negate: node("Neg", [x], label: label)
        case .absolute: node("Abs", [x], label: label)
        case .sign: node("Sign", [x], label: label)
        case .square: node("Mul", [x, x], label: label)
        case .squareRoot: node("Sqrt", [x], label: label)
        case .reciprocalSquareRoot: node("Reciprocal", [node("Sqrt", [x], label: label)], label: label)
        case .exponential: node("Exp", [x], label: label)
        case .exponentialMinusOne: node("Sub", [node("Exp", [x], label: label), one(label)], label: label)
        case .logarithm: node("Log", [x], label: label)
        case .logarithmOnePlus: node("Log", [node("Add", [x, one(label)], label: label)], label: label)
        case .relu: node("Relu", [x], label: label)
        case .sigmoid: node("Sigmoid", [x], label: label)
        case .tanh: node("Tanh", [x], label: label)
        case .errorFunction: node("Erf", [x], label: label)
        }
    }

    private mutating func one(_ label: String) -> String { floats([1], [], label: label, "one") }

    private mutating func binary(_ function: BinaryFunction, _ operands: [String], _ label: String) -> String {
        switch function {
        case .add: node("Add", operands, label: label)
        case .subtract: node("Sub", operands, label: label)
        case .multiply: node("Mul", operands, label: label)
        case .divide: node("Div", operands, label: label)
        case .maximum: node("Max", operands, label: label)
        case .minimum: node("Min", operands, label: label)
        case .power: node("Pow", operands, label: label)
        // Comparisons give 0 and 1.
        case .greater: cast(node("Greater", operands, label: label), to: .float32, label)
        case .greaterOrEqual: cast(node("GreaterOrEqual", operands, label: label), to: .float32, label)
        case .equal: cast(node("Equal", operands, label: label), to: .float32, label)
        }
    }
}
