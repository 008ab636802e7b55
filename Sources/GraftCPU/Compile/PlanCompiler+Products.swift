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
        switch node.operation {
        case .product(let product):
            let (transposeLeft, transposeRight) = (product.transposeLeft, product.transposeRight)
            let epilogue = product.epilogue
            let (rows, inner, columns) = (node.shape[0], shapes[0][transposeLeft ? 0 : 1], node.shape[1])
            let isBitmap = bitmapInputs.contains(try location(of: node.operands[0]))
            if !transposeLeft, !transposeRight, !epilogue.addend,
                SkinnyNNStep.suits(rows: rows, inner: inner, columns: columns, isBitmap: isBitmap)
            {
                return try addSkinnyNN(value, epilogue, inner: inner, isBitmap: isBitmap)
            }
            if !transposeLeft, transposeRight, epilogue == .none,
                SkinnyNTStep.suits(rows: rows, inner: inner, columns: columns)
            {
                return try addSkinnyNT(value, inner: inner)
            }
            let primitive = try self.product(rows: rows, inner: inner, columns: columns, product)
            try addProduct(value, primitive, epilogue, done: epilogue)
        default: return
        }
    }

    /// oneDNN's product of two matrices. It divides its work when the primitive is created: a small product is done before a second
    /// thread wakes up.
    func product(rows: Int, inner: Int, columns: Int, _ product: MatrixProduct) throws(GraftError) -> Primitive {
        let isSmall = rows * inner * columns < 1 << 18
        if isSmall { setThreadCount(1) }
        defer { if isSmall { setThreadCount(threads) } }
        return try Primitive.matrixProduct(engine, rows: rows, inner: inner, columns: columns, product)
    }

    /// The geometry of a convolution, with the types that its operands have in memory.
    private func geometry(of node: Graph.Node, _ shapes: [Shape]) throws(GraftError) -> ConvolutionGeometry? {
        var types: [ElementType] = []
        for operand in node.operands { types.append(self[try location(of: operand)].elementType) }
        return ConvolutionGeometry(node, operands: shapes, types)
    }

    private mutating func compileConvolution(
        _ value: ValueID, _ geometry: ConvolutionGeometry
    ) throws(GraftError) {
        switch graph[value].operation {
        case .convolution(.forward(_, let epilogue)):
            if try addOwnConvolution(value, geometry, epilogue) { return }
            let done = geometry.safe(epilogue)
            try addProduct(value, Primitive.convolution(engine, geometry, done), epilogue, done: done)
        case .convolution(.inputGradient): try addInputGradient(value, geometry)
        default: try addKernelGradient(value, geometry)
        }
    }

    /// Where oneDNN has batch-reduce GEMM kernels for convolutions only, the gradient is a convolution of the output's gradient
    /// with rotated weights.
    private mutating func addInputGradient(_ value: ValueID, _ geometry: ConvolutionGeometry) throws(GraftError) {
        let gradient = try Primitive.inputGradient(engine, geometry)
        guard let rotated = geometry.rotated, !gradient.isBatchReduceGEMM,
            let convolution = try? Primitive.convolution(engine, rotated, .none), convolution.isBatchReduceGEMM
        else { return try addProduct(value, gradient, .none, done: .none) }
        let kernel = try location(of: graph[value].operands[1])
        let target = newBuffer(rotated.kernel.elementCount)
        let step = RotateWeightsStep(geometry.kernel, source: kernel, target: target)
        add(step, reads: [kernel], writes: [target], label: graph[value].label, operation: "turning")
        try addProduct(value, convolution, .none, done: .none, kernel: target)
    }

    /// Adds a primitive's step; what is not `done` of the epilogue by the primitive is done afterwards.
    ///
    /// - Parameter kernel: replaces the second operand.
    private mutating func addProduct(
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

    private mutating func addSkinnyNN(
        _ value: ValueID, _ epilogue: Epilogue, inner: Int, isBitmap: Bool
    ) throws(GraftError) {
        let node = graph[value]
        var operands: [BufferID] = []
        for operand in node.operands { try operands.append(location(of: operand)) }
        let (reads, threads) = (operands, threads)
        try add(value, reads: reads) { target throws(GraftError) in
            try SkinnyNNStep(
                rows: node.shape[0], inner: inner, columns: node.shape[1], left: reads[0], right: reads[1],
                bias: epilogue.bias ? reads[2] : nil, target: target,
                rest: ProgramStep(
                    addend: nil, epilogue.activation, inPlaceOf: target, shape: node.shape, type: node.elementType,
                    threads: threads), isBitmap: isBitmap, threads: threads)
        }
    }

    private mutating func addSkinnyNT(_ value: ValueID, inner: Int) throws(GraftError) {
        let node = graph[value]
        let (left, right) = (try location(of: node.operands[0]), try location(of: node.operands[1]))
        try add(value, reads: [left, right]) { target throws(GraftError) in
            SkinnyNTStep(
                rows: node.shape[0], inner: inner, columns: node.shape[1], left: left, right: right, target: target)
        }
    }

    /// How many threads the primitives that are created next divide their work among: OpenMP's count for the calling thread.
    func setThreadCount(_ count: Int) { graft_set_thread_count(Int32(count)) }
}
