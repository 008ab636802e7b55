/// The functions of `keras.ops` that Graft computes, by Keras's class names.
///
/// Source: keras/src/ops/numpy.py, nn.py, core.py, image.py; keras/src/activations/activations.py.
enum OperationTable {
    /// What a function adds to a graph.
    typealias Rule = @Sendable (OperationCall, inout Graph) throws(GraftError) -> ValueID

    static let rules: [String: Rule] = arithmetic.merging(functions) { first, _ in first }
        .merging(reductions) { first, _ in first }.merging(movements) { first, _ in first }

    /// Those that join tensors element by element.
    static let elementwise: Set<String> = Set(binaries.keys)

    /// Those that are not in Keras's module `numpy`.
    private static let modules: [String: String] = [
        "Relu": "nn", "Relu6": "nn", "Sigmoid": "nn", "Silu": "nn", "Softplus": "nn", "Softsign": "nn", "Selu": "nn",
        "LogSigmoid": "nn", "HardSigmoid": "nn", "HardSilu": "nn", "HardTanh": "nn", "TanhShrink": "nn",
        "SparsePlus": "nn", "Elu": "nn", "LeakyRelu": "nn",
        "Gelu": "nn", "Softmax": "nn", "LogSoftmax": "nn", "Normalize": "nn", "Cast": "core", "Erf": "math",
        "Rsqrt": "math", "Resize": "image",
    ]

    /// Where Keras has a function, for files that do not say.
    static func module(of operation: String) -> String {
        operation == "ReLU" || operation == "Mish"
            ? "keras.src.activations.activations" : "keras.src.ops.\(modules[operation] ?? "numpy")"
    }

    // MARK: Arithmetic

    private static let binaries: [String: BinaryFunction] = [
        "Add": .add, "Subtract": .subtract, "Multiply": .multiply, "Divide": .divide, "TrueDivide": .divide,
        "Maximum": .maximum, "Minimum": .minimum,
    ]

    private static func binary(_ function: BinaryFunction) -> Rule {
        { (call, graph) throws(GraftError) in
            try graph.binary(function, call.value(0, in: &graph), call.value(1, in: &graph))
        }
    }

    private static let arithmetic: [String: Rule] = binaries.mapValues(binary).merging([
        "Power": { (call, graph) throws(GraftError) in
            let base = try call.value(0, in: &graph)
            switch call.number(1) {
            case 1: return base
            case 2: return try graph.unary(.square, base)
            case 0.5: return try graph.unary(.squareRoot, base)
            default: return try graph.binary(.power, base, call.value(1, in: &graph))
            }
        },
        "Negative": unary(.negate),
        "Matmul": { (call, graph) throws(GraftError) in
            try graph.batchedMatrixProduct(call.value(0, in: &graph), call.value(1, in: &graph))
        },
        "Clip": { (call, graph) throws(GraftError) in
            guard let lower = call.setting("x_min")?.number, let upper = call.setting("x_max")?.number else {
                throw GraftError(.format, "its arguments x_min and x_max must be numbers")
            }
            let bounded = try graph.binary(.maximum, call.value(0, in: &graph), Float(lower))
            return try graph.binary(.minimum, bounded, Float(upper))
        },
    ]) { first, _ in first }

    private static func unary(_ function: UnaryFunction) -> Rule {
        { (call, graph) throws(GraftError) in try graph.unary(function, call.value(0, in: &graph)) }
    }

    // MARK: Functions of each element, and softmax

    private static func activation(_ function: ActivationFunction) -> Rule {
        { (call, graph) throws(GraftError) in try function.apply(to: call.value(0, in: &graph), in: &graph) }
    }

    private static let functions: [String: Rule] = [
        "Absolute": unary(.absolute), "Abs": unary(.absolute), "Square": unary(.square), "Sqrt": unary(.squareRoot),
        "Rsqrt": unary(.reciprocalSquareRoot), "Exp": unary(.exponential), "Expm1": unary(.exponentialMinusOne),
        "Log": unary(.logarithm), "Log1p": unary(.logarithmOnePlus), "Sign": unary(.sign), "Erf": unary(.errorFunction),
        "Relu": activation(.relu), "Relu6": activation(.relu6), "Sigmoid": activation(.sigmoid),
        "Tanh": activation(.tanh), "Silu": activation(.silu), "Softplus": activation(.softplus),
        "Softsign": activation(.softsign), "Selu": activation(.selu), "LogSigmoid": activation(.logSigmoid),
        "HardSigmoid": activation(.hardSigmoid), "HardSilu": activation(.hardSilu),
        "HardTanh": activation(.hardTanh), "TanhShrink": activation(.tanhShrink), "Mish": activation(.mish),
        "SparsePlus": activation(.sparsePlus),
        "Identity": { (call, graph) throws(GraftError) in
            try call.value(0, in: &graph)
        },
        "Elu": { (call, graph) throws(GraftError) in
            let alpha = call.setting("alpha")?.number ?? 1
            return try ActivationFunction.elu(call.value(0, in: &graph), alpha: Float(alpha), in: &graph)
        },
        "LeakyRelu": { (call, graph) throws(GraftError) in
            let slope = call.setting("negative_slope")?.number ?? 0.2
            return try ActivationFunction.leakyReLU(call.value(0, in: &graph), slope: Float(slope), in: &graph)
        },
        "Gelu": { (call, graph) throws(GraftError) in
            let function: ActivationFunction = call.setting("approximate")?.flag ?? true ? .geluTanh : .gelu
            return try function.apply(to: call.value(0, in: &graph), in: &graph)
        },
        "ReLU": { (call, graph) throws(GraftError) in
            let layer = ReLU(
                maxValue: call.setting("max_value")?.number,
                negativeSlope: call.setting("negative_slope")?.number ?? 0,
                threshold: call.setting("threshold")?.number ?? 0)
            return try layer.rectified(call.value(0, in: &graph), in: &graph)
        },
        "Softmax": { (call, graph) throws(GraftError) in
            let input = try call.value(0, in: &graph)
            let axes = try call.axes(rank: graph.shape(of: input).rank)
            return try graph.softmax(input, over: axes)
        },
        "LogSoftmax": { (call, graph) throws(GraftError) in
            let input = try call.value(0, in: &graph)
            let rank = graph.shape(of: input).rank
            guard try call.axes(rank: rank) == [rank - 1] else {
                throw GraftError(.format, "its axis must be the last one")
            }
            return try graph.logSoftmax(input)
        },
        "Normalize": { (call, graph) throws(GraftError) in
            try call.require("order", 2)
            let input = try call.value(0, in: &graph)
            let smallest = Float(call.setting("epsilon")?.number ?? 1e-7)
            return try graph.unitVectors(
                input, axes: call.axes(rank: graph.shape(of: input).rank), smallestSquare: smallest * smallest)
        },
    ]

    // MARK: Reductions

    private static let reductions: [String: Rule] = [
        "Mean": reduction(.mean), "Sum": reduction(.sum), "Max": reduction(.maximum), "Amax": reduction(.maximum),
        "Min": minimum, "Amin": minimum, "Var": variance,
        "Std": { (call, graph) throws(GraftError) in try graph.unary(.squareRoot, variance(call, &graph)) },
    ]

    private static func reduction(_ function: ReductionFunction) -> Rule {
        { (call, graph) throws(GraftError) in
            let input = try call.value(0, in: &graph)
            return try reduce(function, input, call, &graph)
        }
    }

    private static func reduce(
        _ function: ReductionFunction, _ input: ValueID, _ call: OperationCall, _ graph: inout Graph
    ) throws(GraftError) -> ValueID {
        if let initial = call.setting("initial") {
            throw GraftError(.format, "its argument initial is \(initial.brief); Graft knows only null there")
        }
        return try graph.reduce(
            function, input, axes: call.axes(rank: graph.shape(of: input).rank),
            keepDimensions: call.setting("keepdims")?.flag ?? false)
    }

    private static let minimum: Rule = { (call, graph) throws(GraftError) in
        let turned = try graph.unary(.negate, call.value(0, in: &graph))
        return try graph.unary(.negate, reduce(.maximum, turned, call, &graph))
    }

    private static let variance: Rule = { (call, graph) throws(GraftError) in
        let input = try call.value(0, in: &graph)
        let axes = try call.axes(rank: graph.shape(of: input).rank)
        let mean = try graph.reduce(.mean, input, axes: axes, keepDimensions: true)
        let distance = try graph.binary(.subtract, input, mean)
        return try reduce(.mean, graph.unary(.square, distance), call, &graph)
    }
}
