import GraftModel

/// What depends on no input: shapes and what is computed of them, and constants.
extension ONNXImporter {
    /// The sizes of a value. That of the batch is ``batch``, and goes through what is computed of it.
    mutating func addShape(_ node: ONNXContent.Node) throws(GraftError) {
        guard let name = name(node, 0) else { throw GraftError(.format, "it has no input") }
        let sizes: [Int]
        if let constant = constants[name] {
            sizes = constant.dimensions
        } else {
            sizes = try [Self.batch] + value(name).sizes
        }
        let start = Self.bounded(node.integer("start") ?? 0, sizes.count)
        let end = Self.bounded(node.integer("end") ?? sizes.count, sizes.count)
        let part = start < end ? Array(sizes[start..<end]) : []
        try setConstant(node, ONNXConstant([part.count], .integers(part)))
    }

    private static func bounded(_ place: Int, _ count: Int) -> Int {
        place < 0 ? max(place, -count) + count : min(place, count)
    }

    /// Computes a node of constants.
    mutating func fold(_ node: ONNXContent.Node) throws(GraftError) {
        if node.type == "Constant" { return try setConstant(node, Self.constant(node)) }
        guard let rule = Self.folding[node.type] else {
            throw GraftError(
                .format,
                "it computes with constants alone, which Graft does not do for this operator; onnxruntime's or "
                    + "onnx-simplifier's constant folding writes the file without it")
        }
        let operands = try node.inputs.indices.map { (position) throws(GraftError) in try constant(node, position) }
        guard let first = operands.first.flatMap(\.self) else { throw GraftError(.format, "it has no inputs") }
        try setConstant(node, rule(Folding(importer: self, node: node, operands: operands, first: first)))
    }

    private static func constant(_ node: ONNXContent.Node) throws(GraftError) -> ONNXConstant {
        switch node.attributes.sorted(by: { $0.key < $1.key }).first?.value {
        case .constant(let constant)?: return constant
        case .integer(let number)?: return ONNXConstant([], .integers([number]))
        case .number(let number)?: return ONNXConstant([], .floats([number]))
        case .integers(let numbers)?: return ONNXConstant([numbers.count], .integers(numbers))
        case .numbers(let numbers)?: return ONNXConstant([numbers.count], .floats(numbers))
        case .text?, .other?, nil: throw GraftError(.format, "its value is no array of numbers")
        }
    }

    /// One node and its constants.
    struct Folding {
        let importer: ONNXImporter
        let node: ONNXContent.Node
        let operands: [ONNXConstant?]
        let first: ONNXConstant

        func operand(_ position: Int) throws(GraftError) -> ONNXConstant {
            guard operands.indices.contains(position), let operand = operands[position] else {
                throw GraftError(.format, "its input \(position + 1) is missing")
            }
            return operand
        }

        func optional(_ position: Int) -> ONNXConstant? {
            operands.indices.contains(position) ? operands[position] : nil
        }

        func axes(_ position: Int, rank: Int) throws(GraftError) -> [Int]? {
            guard let axes = node.integers("axes") ?? optional(position)?.integers else { return nil }
            let settled = axes.map { $0 < 0 ? $0 + rank : $0 }
            guard settled.allSatisfy({ (0..<rank).contains($0) }), Set(settled).count == settled.count else {
                throw GraftError(.format, "its axes \(axes.prefix(8)) are not of \(rank)")
            }
            return settled
        }
    }

    private typealias Fold = @Sendable (Folding) throws(GraftError) -> ONNXConstant

    private static let folding: [String: Fold] = arithmetic.merging(shaping) { first, _ in first }

    // MARK: Arithmetic

    private static func unary(_ function: @escaping @Sendable (Double) -> Double) -> Fold {
        { call in
            ONNXConstant(call.first.dimensions, call.first.doubles.map(function), isInteger: call.first.isInteger)
        }
    }

    private static func binary(_ function: @escaping @Sendable (Double, Double) -> Double, isTruth: Bool = false)
        -> Fold
    {
        { (call) throws(GraftError) in
            let (left, right) = (call.first, try call.operand(1))
            let isInteger = isTruth || left.isInteger && right.isInteger
            let (sizes, places) = try broadcast([left.dimensions, right.dimensions], call.importer)
            let (first, second) = (left.doubles, right.doubles)
            let values = places[0].indices.map { function(first[places[0][$0]], second[places[1][$0]]) }
            return ONNXConstant(sizes, values, isInteger: isInteger)
        }
    }

    private static let arithmetic: [String: Fold] = [
        "Add": binary(+), "Sub": binary(-), "Mul": binary(*), "Pow": binary { power($0, $1) },
        "Div": { (call) throws(GraftError) in
            let divisor = try call.operand(1)
            let isInteger = call.first.isInteger && divisor.isInteger
            return try binary { isInteger ? ($0 / $1).rounded(.towardZero) : $0 / $1 }(call)
        },
        "Max": binary { max($0, $1) }, "Min": binary { min($0, $1) },
        "Mod": binary { $0 - $1 * ($0 / $1).rounded(.down) },
        "Equal": binary({ $0 == $1 ? 1 : 0 }, isTruth: true), "Less": binary({ $0 < $1 ? 1 : 0 }, isTruth: true),
        "Greater": binary({ $0 > $1 ? 1 : 0 }, isTruth: true), "And": binary({ $0 * $1 }, isTruth: true),
        "Or": binary({ max($0, $1) }, isTruth: true), "Not": unary { 1 - $0 },
        "Neg": unary { -$0 }, "Abs": unary { abs($0) }, "Sqrt": unary { $0.squareRoot() },
        "Reciprocal": unary { 1 / $0 }, "Floor": unary { $0.rounded(.down) }, "Ceil": unary { $0.rounded(.up) },
        "Identity": { $0.first }, "Dropout": { $0.first },
        "Cast": { call in
            let type = call.node.integer("to") ?? 1
            let isInteger = ![1, 10, 11, 16].contains(type)
            let values = type == 9 ? call.first.doubles.map { $0 == 0 ? 0 : 1 } : call.first.doubles
            return ONNXConstant(call.first.dimensions, values, isInteger: isInteger)
        },
        "Where": { (call) throws(GraftError) in
            let (yes, no) = (try call.operand(1), try call.operand(2))
            let (sizes, places) = try broadcast([call.first.dimensions, yes.dimensions, no.dimensions], call.importer)
            let (conditions, first, second) = (call.first.integers, yes.doubles, no.doubles)
            let values = places[0].indices.map {
                conditions[places[0][$0]] != 0 ? first[places[1][$0]] : second[places[2][$0]]
            }
            return ONNXConstant(sizes, values, isInteger: yes.isInteger && no.isInteger)
        },
        "ReduceProd": { (call) throws(GraftError) in
            guard call.first.dimensions.count <= 1 else {
                throw GraftError(.format, "it multiplies an array of several axes")
            }
            let keeps = call.node.integer("keepdims") ?? 1 != 0
            return ONNXConstant(keeps ? [1] : [], [call.first.doubles.reduce(1, *)], isInteger: call.first.isInteger)
        },
    ]

    private static func power(_ base: Double, _ exponent: Double) -> Double {
        switch exponent {
        case 0: 1
        case 0.5: base.squareRoot()
        case _ where exponent == exponent.rounded() && abs(exponent) <= 64:
            (0..<Int(abs(exponent))).reduce(exponent < 0 ? 1 : 1) { result, _ in
                exponent < 0 ? result / base : result * base
            }
        default: .nan
        }
    }

    /// The sizes of arrays together, as numpy has it, and which number of each stands at each place.
    private static func broadcast(
        _ shapes: [[Int]], _ importer: ONNXImporter
    ) throws(GraftError) -> ([Int], [[Int]]) {
        let rank = shapes.map(\.count).max() ?? 0
        let padded = shapes.map { [Int](repeating: 1, count: rank - $0.count) + $0 }
        var sizes = [Int](repeating: 1, count: rank)
        for shape in padded {
            for axis in 0..<rank where shape[axis] != 1 {
                guard sizes[axis] == 1 || sizes[axis] == shape[axis] else {
                    throw GraftError(
                        .format, "its constants of the shapes \(shapes.map { $0.prefix(8) }) do not fit one another")
                }
                sizes[axis] = shape[axis]
            }
        }
        try importer.budget.check(sizes)
        let count = sizes.reduce(1, *)
        let places = padded.map { shape in
            (0..<count).map { index in
                var (rest, place, stride) = (index, 0, 1)
                for axis in (0..<rank).reversed() {
                    let position = rest % sizes[axis]
                    rest /= sizes[axis]
                    if shape[axis] != 1 { place += position * stride }
                    stride *= shape[axis]
                }
                return place
            }
        }
        return (sizes, places)
    }

    // MARK: Shapes

    private static let shaping: [String: Fold] = [
        "Reshape": { (call) throws(GraftError) in
            var sizes = try call.operand(1).integers
            for index in sizes.indices where sizes[index] == 0 && index < call.first.dimensions.count {
                sizes[index] = call.first.dimensions[index]
            }
            let known = sizes.filter { $0 != -1 }
            try call.importer.budget.check(known)
            let product = known.reduce(1, *)
            if let open = sizes.firstIndex(of: -1), product > 0 { sizes[open] = call.first.count / product }
            guard sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(1, *) == call.first.count else {
                throw GraftError(.format, "it reshapes \(call.first.dimensions.prefix(8)) to \(sizes.prefix(8))")
            }
            return ONNXConstant(sizes, call.first.numbers)
        },
        "Unsqueeze": { (call) throws(GraftError) in
            let given = call.node.integers("axes") ?? call.optional(1)?.integers ?? []
            var sizes = call.first.dimensions
            let rank = sizes.count + given.count
            for axis in given.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
                guard (0...sizes.count).contains(axis) else {
                    throw GraftError(.format, "its axis \(axis) is none of \(rank)")
                }
                sizes.insert(1, at: axis)
            }
            return ONNXConstant(sizes, call.first.numbers)
        },
        "Squeeze": { (call) throws(GraftError) in
            let sizes = call.first.dimensions
            let axes = try call.axes(1, rank: sizes.count) ?? sizes.indices.filter { sizes[$0] == 1 }
            guard axes.allSatisfy({ sizes[$0] == 1 }) else { throw GraftError(.format, "its axes are not of size 1") }
            return ONNXConstant(sizes.indices.filter { !axes.contains($0) }.map { sizes[$0] }, call.first.numbers)
        },
        "Concat": { (call) throws(GraftError) in
            let parts = try call.operands.indices.map { (position) throws(GraftError) in try call.operand(position) }
            let rank = call.first.dimensions.count
            let axis =
                (call.node.integer("axis") ?? 0) < 0
                ? rank + (call.node.integer("axis") ?? 0) : call.node.integer("axis") ?? 0
            guard axis == 0, rank == 1, parts.allSatisfy({ $0.dimensions.count == 1 }) else {
                throw GraftError(.format, "it joins constants of several axes")
            }
            try call.importer.budget.check([parts.reduce(0) { $0 + $1.count }])
            let isInteger = parts.allSatisfy(\.isInteger)
            let values = parts.flatMap(\.doubles)
            return ONNXConstant([values.count], values, isInteger: isInteger)
        },
        "Gather": { (call) throws(GraftError) in
            let indices = try call.operand(1)
            guard call.node.integer("axis") ?? 0 == 0, let size = call.first.dimensions.first, size > 0 else {
                throw GraftError(.format, "it picks from a constant along another axis than the first")
            }
            let row = call.first.count / size
            let places = indices.integers.map { $0 < 0 ? $0 + size : $0 }
            guard places.allSatisfy({ (0..<size).contains($0) }) else {
                throw GraftError(.format, "its indices are outside of \(size)")
            }
            try call.importer.budget.check([places.count, row])
            let numbers = call.first.doubles
            let values = places.flatMap { numbers[$0 * row..<($0 + 1) * row] }
            return ONNXConstant(
                indices.dimensions + call.first.dimensions.dropFirst(), values, isInteger: call.first.isInteger)
        },
        "Slice": { (call) throws(GraftError) in
            let starts = call.node.integers("starts") ?? call.optional(1)?.integers ?? []
            let stops = call.node.integers("ends") ?? call.optional(2)?.integers ?? []
            let step = call.optional(4)?.integers.first ?? 1
            guard call.first.dimensions.count == 1, starts.count == 1, stops.count == 1, step == 1 else {
                throw GraftError(.format, "it takes a part of a constant of several axes, or in steps")
            }
            let count = call.first.count
            let (start, stop) = (bounded(starts[0], count), bounded(stops[0], count))
            let values = start < stop ? Array(call.first.doubles[start..<stop]) : []
            return ONNXConstant([values.count], values, isInteger: call.first.isInteger)
        },
        "ConstantOfShape": { (call) throws(GraftError) in
            let sizes = call.first.integers.map { $0 == batch ? 1 : $0 }
            var value = ONNXConstant([1], .floats([0]))
            if case .constant(let constant)? = call.node.attributes["value"] { value = constant }
            try call.importer.budget.check(sizes)
            let values = [Double](repeating: value.doubles.first ?? 0, count: sizes.reduce(1, *))
            return ONNXConstant(sizes, values, isInteger: value.isInteger)
        },
        // What is the same for each example of a batch stands once.
        "Expand": { (call) throws(GraftError) in
            let target = try call.operand(1).integers.map { $0 == batch ? 1 : $0 }
            let (sizes, places) = try broadcast([target.map { max($0, 1) }, call.first.dimensions], call.importer)
            let numbers = call.first.doubles
            return ONNXConstant(sizes, places[1].map { numbers[$0] }, isInteger: call.first.isInteger)
        },
        "Transpose": { (call) throws(GraftError) in
            let rank = call.first.dimensions.count
            let axes = call.node.integers("perm") ?? Array((0..<rank).reversed())
            guard axes.sorted() == Array(0..<rank) else {
                throw GraftError(.format, "its axes are \(axes.prefix(8)) of \(rank)")
            }
            guard !call.first.isInteger else { throw GraftError(.format, "it turns an array of whole numbers") }
            let stored = Tensor(call.first.floats, shape: Shape(call.first.dimensions))
            return ONNXConstant(axes.map { call.first.dimensions[$0] }, .floats(stored.scalars(permutedBy: axes)))
        },
        "Range": { (call) throws(GraftError) in
            let limit = try call.operand(1).scalar ?? 0
            let (start, step) = (call.first.scalar ?? 0, try call.operand(2).scalar ?? 1)
            let count = ((limit - start) / step).rounded(.up)
            guard count >= 0, count < 1e9 else { throw GraftError(.format, "it counts from \(start) to \(limit)") }
            try call.importer.budget.check([Int(count)])
            return ONNXConstant(
                [Int(count)], (0..<Int(count)).map { Double($0) * step + start }, isInteger: call.first.isInteger)
        },
    ]
}
