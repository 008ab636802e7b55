import GraftGraph

/// How far from a kink or jump every value stays: far above a finite difference's step and 32-bit rounding.
private let margin = 0.02

/// Whether an operation is smooth in all of its operands near these values.
func isSmooth(_ node: Graph.Node, _ operands: [ReferenceArray]) -> Bool {
    switch node.operation {
    case .elementwise(.unary(.relu)), .elementwise(.unary(.absolute)), .elementwise(.unary(.sign)):
        operands[0].values.allSatisfy { abs($0) > margin }
    case .elementwise(.binary(let function)) where hasKink(function):
        difference(operands[0], operands[1], node.shape).allSatisfy { abs($0) > margin }
    case .reduction(let reduction) where reduction.function == .maximum:
        hasClearWinners(operands[0], groups(operands[0].shape, reducing: reduction.axes))
    case .pooling(.maxPooling(let window)):
        hasClearWinners(operands[0], groups(operands[0].shape, window, node.shape))
    case .pooling(.maxPoolingGradient(let window)):
        hasClearWinners(operands[0], groups(operands[0].shape, window, operands[1].shape))
    case .custom(let custom) where custom.rule is TopK:
        hasClearOrder(operands[0], groups(operands[0].shape, reducing: [operands[0].shape.rank - 1]))
    default: true
    }
}

/// Whether in each group no two elements come nearer than the margin.
private func hasClearOrder(_ array: ReferenceArray, _ groups: [[Int]]) -> Bool {
    groups.allSatisfy { group in
        let sorted = group.map { array.values[$0] }.sorted()
        return zip(sorted, sorted.dropFirst()).allSatisfy { $1 - $0 > margin }
    }
}

/// Whether a function of two numbers has a kink or a jump where they are equal.
private func hasKink(_ function: BinaryFunction) -> Bool {
    switch function {
    case .maximum, .minimum, .greater, .greaterOrEqual, .equal: true
    case .add, .subtract, .multiply, .divide, .power: false
    }
}

/// `left − right`, broadcast.
private func difference(_ left: ReferenceArray, _ right: ReferenceArray, _ shape: Shape) -> [Double] {
    let node = Graph.Node(.elementwise(.binary(.subtract)), shape: shape)
    return Interpreter.result(of: node, [left, right]).values
}

/// Whether in each group the largest element leads by the margin.
private func hasClearWinners(_ array: ReferenceArray, _ groups: [[Int]]) -> Bool {
    groups.allSatisfy { group in
        let sorted = group.map { array.values[$0] }.sorted(by: >)
        return sorted.count < 2 || sorted[0] - sorted[1] > margin
    }
}

/// The positions that a reduction brings together.
private func groups(_ shape: Shape, reducing axes: [Int]) -> [[Int]] {
    let strides = shape.strides
    let positions = 0..<shape.elementCount
    let kept = (0..<shape.rank).filter { !axes.contains($0) }
    let grouped = Dictionary(grouping: positions) { position in kept.map { position / strides[$0] % shape[$0] } }
    return Array(grouped.values)
}

/// The positions under each window.
private func groups(_ input: Shape, _ window: Window, _ output: Shape) -> [[Int]] {
    var groups: [[Int]] = []
    let (strides, height, width) = (input.strides, window.size.height, window.size.width)
    for position in 0..<output.elementCount {
        let index = zip(output.strides, output.dimensions).map { position / $0 % $1 }
        let top = index[1] * window.strides.height - window.padding.top
        let left = index[2] * window.strides.width - window.padding.left
        let rows = (top..<top + height).clamped(to: 0..<input[1])
        let columns = (left..<left + width).clamped(to: 0..<input[2])
        groups.append(
            rows.flatMap { row in
                columns.map { index[0] * strides[0] + row * strides[1] + $0 * strides[2] + index[3] }
            })
    }
    return groups
}
