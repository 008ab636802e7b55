extension Gather: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let (operands, reads) = (compiler.graph[value].operands, try compiler.sources(of: value))
        let slices = IndexedSlices(compiler.shape(operands[0]), axis: axis)
        let count = compiler.shape(operands[1]).elementCount
        try compiler.add(value, reads: reads) { target in
            GatherStep(slices: slices, count: count, source: reads[0], indices: reads[1], target: target)
        }
    }
}

extension ScatterAdd: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let (operands, reads) = (compiler.graph[value].operands, try compiler.sources(of: value))
        let slices = IndexedSlices(compiler.shape(value), axis: axis)
        let count = compiler.shape(operands[0]).elementCount
        try compiler.add(value, reads: reads) { target in
            ScatterAddStep(slices: slices, count: count, indices: reads[0], updates: reads[1], target: target)
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
    let target: BufferID

    var implementation: String { "graft:gather" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (source, indices, target) = (memory[source], memory[indices], memory[target])
        let (rows, inner) = (slices.outer * count, slices.inner)
        try inParallel(rows: rows, ofElements: inner, threads: memory.threads) { range in
            for row in range {
                let place = target + row * inner
                if let slice = slices.slice(Double(indices[row % count])) {
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
    let updates: BufferID
    let target: BufferID

    var implementation: String { "graft:scatter" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (indices, updates, target) = (memory[indices], memory[updates], memory[target])
        let (outer, inner) = (slices.outer, slices.inner)
        target.update(repeating: 0, count: outer * slices.size * inner)
        try inParallel(rows: inner, ofElements: outer * count, threads: memory.threads) { range in
            for row in 0..<outer * count {
                guard let slice = slices.slice(Double(indices[row % count])) else { continue }
                let sum = target + (row / count * slices.size + slice) * inner
                for element in range { sum[element] += updates[row * inner + element] }
            }
        }
    }
}
