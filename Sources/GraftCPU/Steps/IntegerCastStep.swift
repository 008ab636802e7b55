extension PlanCompiler {
    /// A cast between float32 and int32.
    mutating func compileIntegerCast(_ value: ValueID) throws(GraftError) {
        let (source, node) = (try sources(of: value)[0], graph[value])
        try add(value, reads: [source]) { target in
            IntegerCastStep(
                isToIntegers: node.elementType == .int32, count: node.shape.elementCount, source: source, target: target
            )
        }
    }
}

/// Floats of integers, or integers of floats: see ``ElementType/int32``.
struct IntegerCastStep: Step {
    let isToIntegers: Bool
    let count: Int
    let source: BufferID
    let target: BufferID

    var implementation: String { "graft:cast" }

    func run(_ memory: RunMemory) throws(GraftError) {
        let (source, target) = (memory[source], memory[target])
        let (integers, numbers) = (
            memory.integers(isToIntegers ? self.target : self.source), isToIntegers ? source : target
        )
        try inParallel(rows: count, ofElements: 1, threads: memory.threads) { range in
            if isToIntegers {
                for index in range { integers[index] = Int32(truncating: numbers[index]) }
            } else {
                for index in range { numbers[index] = Float(integers[index]) }
            }
        }
    }
}

extension RunMemory {
    /// The memory of a buffer of int32.
    func integers(_ buffer: BufferID) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(self[buffer]).assumingMemoryBound(to: Int32.self)
    }
}
