/// Copies of blocks where the last axis stays, element by element where it moves.
extension Permutation: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let (source, result) = (try compiler.sources(of: value)[0], compiler.shape(value))
        let strides = compiler.shape(compiler.graph[value].operands[0]).strides
        // An axis of size 1 may lie anywhere.
        let kept = axes.indices.filter { result[$0] > 1 }
        let block = BlockCopy(
            joining: kept.map { result[$0] } + [1], sourceStrides: kept.map { strides[axes[$0]] } + [1],
            targetStrides: kept.map { result.strides[$0] } + [1])
        if block.sizes.last == 1 {
            try compiler.add(value, reads: [source]) { target in
                PermutationStep(
                    sizes: block.sizes.dropLast(), strides: block.sourceStrides.dropLast(), source: source,
                    target: target)
            }
        } else {
            try block.checkRank()
            let part = CopyStep.Part(source: source, sourceOffset: 0, targetOffset: 0, block: block)
            try compiler.add(value, reads: [source]) { target in
                CopyStep(parts: [part], target: target, zeroCount: 0)
            }
        }
    }
}

/// A dense array written in order, read in steps.
struct PermutationStep: Step {
    let sizes: [Int]
    /// From element to element of the source, for each axis of the target.
    let strides: [Int]
    let source: BufferID
    let target: BufferID

    init(sizes: some Sequence<Int>, strides: some Sequence<Int>, source: BufferID, target: BufferID) {
        (self.sizes, self.strides) = (Array(sizes), Array(strides))
        (self.source, self.target) = (source, target)
    }

    var implementation: String { "graft:permutation" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (source, target) = (memory[source], memory[target])
        let (length, step) = (sizes.last ?? 1, strides.last ?? 1)
        let rows = sizes.dropLast().reduce(1, *)
        try inParallel(rows: rows, ofElements: length, threads: memory.threads) { range in
            for row in range {
                let start = self.start(ofRow: row)
                for element in 0..<length { target[row * length + element] = source[start + element * step] }
            }
        }
    }

    /// Where the elements of a row of the target begin in the source.
    private func start(ofRow row: Int) -> Int {
        var (rest, start) = (row, 0)
        for axis in sizes.indices.dropLast().reversed() {
            start += rest % sizes[axis] * strides[axis]
            rest /= sizes[axis]
        }
        return start
    }
}
