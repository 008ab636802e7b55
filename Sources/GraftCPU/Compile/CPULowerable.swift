/// An operation outside the families that the CPU has a kernel for: a file of this folder each.
protocol CPULowerable: OperationRule {
    /// Adds the steps that compute a value of this operation, and places it.
    ///
    /// Operands and result are float32, but for ``integerOperands``, and the result has elements; an operand may have none.
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError)

    /// The operands that the kernel reads as int32 where they are; none where it is not said.
    var integerOperands: Set<Int> { get }
}

extension CPULowerable {
    var integerOperands: Set<Int> { [] }
}

extension AnyCustomOperation {
    /// Whether there is a kernel that takes operands of these types.
    func hasKernel(taking types: [ElementType]) -> Bool {
        guard let rule = rule as? any CPULowerable else { return false }
        return types.enumerated().allSatisfy { $1 == .float32 || ($1 == .int32 && rule.integerOperands.contains($0)) }
    }
}

extension PlanCompiler {
    /// A custom operation: by its kernel where there is one, else by its reference.
    mutating func compileCustom(_ value: ValueID, _ rule: any OperationRule) throws(GraftError) {
        if let rule = rule as? any CPULowerable { return try rule.lower(value, in: &self) }
        let node = graph[value]
        let operands = try sources(of: value)
        let shapes = node.operands.map { shape($0) }
        try add(value, reads: operands) { target throws(GraftError) in
            ReferenceStep(rule: rule, operands: operands, shapes: shapes, result: node.shape, target: target)
        }
    }

    /// The buffers of a value's operands.
    func sources(of value: ValueID) throws(GraftError) -> [BufferID] {
        var sources: [BufferID] = []
        for operand in graph[value].operands { try sources.append(location(of: operand)) }
        return sources
    }
}

/// An operation's reference, in float64 on one thread: for users' operations.
struct ReferenceStep: Step {
    let rule: any OperationRule
    let operands: [BufferID]
    let shapes: [Shape]
    let result: Shape
    let target: BufferID

    var implementation: String { "reference" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let arrays = zip(operands, shapes).map { operand, shape in
            let elements = UnsafeBufferPointer(start: memory[operand], count: shape.elementCount)
            return ReferenceArray(elements.map { Double($0) }, shape: shape)
        }
        let array = rule.reference(arrays, result: result)
        guard array.shape == result else {
            throw GraftError(
                .argument,
                "operation \(rule.name): its reference gives the shape \(array.shape), its shape rule \(result)")
        }
        let target = memory[target]
        for (position, number) in array.values.enumerated() { target[position] = Float(number) }
    }
}
