internal import CKernels

/// Convolutions and matrix products.
extension PlanCompiler {
    mutating func compileProduct(_ value: ValueID) throws(GraftError) {
        let node = graph[value]
        let shapes = node.operands.map { shape($0) }
        guard shapes.allSatisfy({ $0.elementCount > 0 }), node.shape.elementCount > 0 else {
            throw GraftError(
                .shape,
                "\(node.operation.name) of \(shapes) has an operand without elements; every size must be at least 1")
        }
        if let geometry = try geometry(of: node, shapes) { return try compileConvolution(value, geometry) }
        guard case .product(let product) = node.operation else { return }
        let site = ProductSite(
            value: value, product: product, rows: node.shape[0], inner: shapes[0][product.transposeLeft ? 0 : 1],
            columns: node.shape[1], hasBitmapRows: bitmapInputs.contains(try location(of: node.operands[0])),
            machine: paths.machine)
        if let path = paths.products.first(where: { $0.suits(site) }) { return try path.lower(site, in: &self) }
        let primitive = try self.product(rows: site.rows, inner: site.inner, columns: site.columns, product)
        try addPrimitive(value, primitive, product.epilogue, done: product.epilogue)
    }

    /// oneDNN's product of two matrices. It divides its work when the primitive is created: a small product is done before a second
    /// thread wakes up.
    ///
    /// - Parameter batch: how many products of matrices that lie one after the other.
    func product(
        batch: Int = 1, rows: Int, inner: Int, columns: Int, _ product: MatrixProduct
    ) throws(GraftError) -> Primitive {
        let isSmall = paths.allows(.smallProducts) && batch * rows * inner * columns < paths.machine.smallProduct
        if isSmall { setThreadCount(1) }
        defer { if isSmall { setThreadCount(threads) } }
        return try Primitive.matrixProduct(
            engine, batch: batch, rows: rows, inner: inner, columns: columns, product)
    }

    /// The geometry of a convolution, with the types that its operands have in memory.
    private func geometry(of node: Graph.Node, _ shapes: [Shape]) throws(GraftError) -> ConvolutionGeometry? {
        var types: [ElementType] = []
        for operand in node.operands { types.append(self[try location(of: operand)].elementType) }
        var geometry = ConvolutionGeometry(node, operands: shapes, types)
        geometry?.allowsDirectCode = paths.allows(.oneDNNDirectCode)
        return geometry
    }

    /// Adds a primitive's step; what is not `done` of the epilogue by the primitive is done afterwards.
    ///
    /// - Parameter kernel: replaces the second operand.
    mutating func addPrimitive(
        _ value: ValueID, _ primitive: Primitive, _ epilogue: Epilogue, done: Epilogue, kernel: BufferID? = nil
    ) throws(GraftError) {
        let node = graph[value]
        var operands: [BufferID] = []
        for operand in node.operands { try operands.append(location(of: operand)) }
        if let kernel { operands[1] = kernel }
        let packing = try pack(&operands[1], for: primitive, label: node.label)
        let bias = epilogue.bias ? operands[2] : nil
        let addend = epilogue.addend ? operands[operands.count - 1] : nil
        let (reads, threads) = (operands, threads)
        try add(value, reads: reads) { target throws(GraftError) in
            try ProductStep(
                primitive: primitive, packing: packing, source: reads[0], weights: reads[1], bias: bias,
                addend: done.addend ? addend : nil, target: target,
                size: ArraySize(count: node.shape.elementCount, type: node.elementType),
                rest: ProgramStep(
                    addend: done.addend ? nil : addend, done == epilogue ? nil : epilogue.activation, inPlaceOf: target,
                    shape: node.shape, type: node.elementType, threads: threads))
        }
        // The result may take the addend's memory, unless the addend is read in another place as well.
        if done.addend, let addend, reads.filter({ $0 == addend }).count == 1 {
            allowSharing([(operand: addend, result: try location(of: value))])
        }
    }

    /// Prepacks a kernel into the primitive's layout where it is loop-invariant; otherwise returns the primitive that packs it in
    /// each run.
    private mutating func pack(
        _ kernel: inout BufferID, for primitive: Primitive, label: String
    ) throws(GraftError) -> Primitive? {
        guard primitive.packedByteCount > 0 else { return nil }
        let packing = try primitive.packing()
        guard isLoopInvariant(kernel) else { return packing }
        // In 32-bit words, the last of which a bfloat16 kernel may fill by half.
        let stride = MemoryLayout<Float>.stride
        let packed = newBuffer((primitive.packedByteCount + stride - 1) / stride)
        let step = PackingStep(primitive: packing, source: kernel, target: packed)
        add(step, reads: [kernel], writes: [packed], label: label, operation: "packing")
        kernel = packed
        return nil
    }

    /// How many threads the primitives that are created next divide their work among: OpenMP's count for the calling thread.
    func setThreadCount(_ count: Int) { graft_set_thread_count(Int32(count)) }
}
