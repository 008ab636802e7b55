/// oneDNN's product of many matrices at once, where it has more than reference code for it; else one after the other.
extension BatchedMatrixProduct: CPULowerable {
    func lower(_ value: ValueID, in compiler: inout PlanCompiler) throws(GraftError) {
        let (node, reads) = (compiler.graph[value], try compiler.sources(of: value))
        let shapes = node.operands.map { compiler.shape($0) }
        guard shapes.allSatisfy({ $0.elementCount > 0 }) else {
            throw GraftError(
                .shape, "\(name) of \(shapes) has an operand without elements; every size must be at least 1")
        }
        let rank = node.shape.rank
        let (rows, columns) = (node.shape[rank - 2], node.shape[rank - 1])
        let inner = shapes[0][transposeLeft ? rank - 2 : rank - 1]
        let product = MatrixProduct(transposeLeft: transposeLeft, transposeRight: transposeRight)
        var count = node.shape.elementCount / (rows * columns)
        let whole = try compiler.product(batch: count, rows: rows, inner: inner, columns: columns, product)
        let primitive =
            whole.isReference && count > 1
            ? try compiler.product(rows: rows, inner: inner, columns: columns, product) : whole
        if !whole.isReference { count = 1 }
        let packing = primitive.packedByteCount > 0 ? try primitive.packing() : nil
        try compiler.add(value, reads: reads) { target in
            BatchedProductStep(
                primitive: primitive, packing: packing, count: count,
                sizes: (rows * inner, inner * columns, rows * columns), left: reads[0], right: reads[1], target: target)
        }
    }
}

/// Products of contiguous matrices.
struct BatchedProductStep: Step {
    let primitive: Primitive
    /// Packs a right matrix into the primitive's layout.
    let packing: Primitive?
    let count: Int
    /// The elements of one matrix.
    let sizes: (left: Int, right: Int, target: Int)
    let left: BufferID
    let right: BufferID
    let target: BufferID

    var implementation: String { "\(primitive.implementation) × \(count)" }
    var primitiveCount: Int { packing == nil ? 1 : 2 }
    var reorderCount: Int { packing == nil ? 0 : 1 }
    var request: String? { primitive.request }
    var scratchByteCount: Int { scratchParts.reduce(0) { $0 + Memory.aligned($1) } }
    /// A packed matrix, and scratch to make and to use it.
    var scratchParts: [Int] {
        [
            packing == nil ? 0 : primitive.packedByteCount,
            max(primitive.scratchByteCount, packing?.scratchByteCount ?? 0),
        ]
    }

    func run(_ memory: RunMemory) throws(GraftError) {
        let parts = scratchParts
        let (packed, scratch) = (memory.scratch(0, of: parts), memory.scratch(1, of: parts))
        for position in 0..<count {
            var weights = UnsafeRawPointer(memory[right] + position * sizes.right)
            if let packing {
                try packing.execute(on: memory.stream, source: weights, target: packed, scratch: scratch)
                weights = UnsafeRawPointer(packed)
            }
            try primitive.execute(
                on: memory.stream, source: memory[left] + position * sizes.left, weights: weights,
                target: memory[target] + position * sizes.target, scratch: scratch)
        }
    }
}
