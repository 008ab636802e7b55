extension TopK: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let source = try compiler.sources(of: value)[0]
        let shape = compiler.shape(compiler.graph[value].operands[0])
        try compiler.add(value, reads: [source]) { target in
            TopKStep(topK: self, shape: shape, source: source, target: target)
        }
    }
}

/// Rows that are sorted, each by itself.
struct TopKStep: Step {
    let topK: TopK
    /// Of the source.
    let shape: Shape
    let source: BufferID
    let target: BufferID

    var implementation: String { "graft:sort" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (source, target, length) = (memory[source], memory[target], shape.last)
        guard length > 0 else { return }
        try inParallel(rows: shape.elementCount / length, ofElements: length, threads: memory.threads) { range in
            for row in range {
                let numbers = UnsafeBufferPointer(start: source + row * length, count: length)
                for (place, position) in topK.positions(in: numbers.map { Double($0) }).enumerated() {
                    target[row * topK.count + place] = topK.result == .values ? numbers[position] : Float(position)
                }
            }
        }
    }
}
