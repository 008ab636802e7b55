extension Gather: CPULowerable {
    var integerOperands: Set<Int> { [1] }

    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let (operands, reads) = (compiler.graph[value].operands, try compiler.sources(of: value))
        let slices = IndexedSlices(compiler.shape(operands[0]), axis: axis)
        let count = compiler.shape(operands[1]).elementCount
        let hasIntegers = compiler[reads[1]].elementType == .int32
        try compiler.add(value, reads: reads) { target in
            GatherStep(
                slices: slices, count: count, source: reads[0], indices: reads[1],
                hasIntegers: hasIntegers, target: target)
        }
    }
}

extension ScatterAdd: CPULowerable {
    var integerOperands: Set<Int> { [0] }

    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let (operands, reads) = (compiler.graph[value].operands, try compiler.sources(of: value))
        let slices = IndexedSlices(compiler.shape(value), axis: axis)
        let count = compiler.shape(operands[0]).elementCount
        let hasIntegers = compiler[reads[0]].elementType == .int32
        try compiler.add(value, reads: reads) { target in
            ScatterAddStep(
                slices: slices, count: count, indices: reads[0],
                hasIntegers: hasIntegers, updates: reads[1], target: target)
        }
    }
}

/// Copies the slices of a list of indices; zeros for an index out of range.
struct GatherStep: Step {
    /// Of the source.
    let slices: IndexedSlices
    /// How many indices there are.
    let count: Int
    let source: BufferID
    let indices: BufferID
    /// Whether the indices are int32.
    let hasIntegers: Bool
    let target: BufferID

    var implementation: String { "graft:gather" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (source, target) = (memory[source], memory[target])
        let named = memory.slices(slices, namedBy: indices, areIntegers: hasIntegers)
        let (rows, inner) = (slices.outer * count, slices.inner)
        try inParallel(rows: rows, ofElements: inner, threads: memory.threads) { range in
            for row in range {
                let place = target + row * inner
                if let slice = named.slice(at: row % count) {
                    place.update(from: source + (row / count * slices.size + slice) * inner, count: inner)
                } else {
                    place.update(repeating: 0, count: inner)
                }
            }
        }
    }
}

/// Adds updates to the slices of a list of indices. Threads divide the elements of a slice, so that sums have one order.
struct ScatterAddStep: Step {
    /// Of the target.
    let slices: IndexedSlices
    /// How many indices there are.
    let count: Int
    let indices: BufferID
    /// Whether the indices are int32.
    let hasIntegers: Bool
    let updates: BufferID
    let target: BufferID

    var implementation: String { "graft:scatter" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (updates, target) = (memory[updates], memory[target])
        let named = memory.slices(slices, namedBy: indices, areIntegers: hasIntegers)
        let (outer, inner) = (slices.outer, slices.inner)
        target.update(repeating: 0, count: outer * slices.size * inner)
        try inParallel(rows: inner, ofElements: outer * count, threads: memory.threads) { range in
            for row in 0..<outer * count {
                guard let slice = named.slice(at: row % count) else { continue }
                let sum = target + (row / count * slices.size + slice) * inner
                for element in range { sum[element] += updates[row * inner + element] }
            }
        }
    }
}

/// The slices that the indices of a buffer name.
private struct NamedSlices {
    let slices: IndexedSlices
    let numbers: UnsafeMutablePointer<Float>
    /// The indices where they are int32.
    let integers: UnsafeMutablePointer<Int32>?

    /// The slice that an index names; `nil` for one outside.
    func slice(at position: Int) -> Int? {
        guard let integers else { return slices.slice(Double(numbers[position])) }
        let index = Int(integers[position])
        return index >= 0 && index < slices.size ? index : nil
    }
}

extension RunMemory {
    fileprivate func slices(_ slices: IndexedSlices, namedBy indices: BufferID, areIntegers: Bool) -> NamedSlices {
        NamedSlices(slices: slices, numbers: self[indices], integers: areIntegers ? integers(indices) : nil)
    }
}
