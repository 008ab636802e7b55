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
        switch node.operation {
        case .convolution(let convolution, let epilogue):
            let geometry = ConvolutionGeometry(
                convolution: convolution, input: shapes[0], kernel: shapes[1], output: node.shape)
            var own = epilogue
            // oneDNN 2.6 crashes on an addition followed by an activation where a window holds nothing but padding.
            if epilogue.addend, geometry.hasEmptyWindows { own.activation = nil }
            let primitive = try Primitive.convolution(engine, geometry, own)
            let left = own == epilogue ? nil : epilogue.activation
            try addProduct(value, primitive, epilogue, activation: left)
        case .convolutionInputGradient(let convolution, let input):
            let geometry = ConvolutionGeometry(
                convolution: convolution, input: input, kernel: shapes[1], output: shapes[0])
            try addProduct(value, Primitive.inputGradient(engine, geometry), .none)
        case .convolutionKernelGradient(let convolution, let kernel):
            let geometry = ConvolutionGeometry(
                convolution: convolution, input: shapes[0], kernel: kernel, output: shapes[1])
            try addKernelGradient(value, Primitive.kernelGradient(engine, geometry))
        case .matrixProduct(let transposeLeft, let transposeRight, let epilogue):
            let (rows, inner, columns) = (node.shape[0], shapes[0][transposeLeft ? 0 : 1], node.shape[1])
            if !transposeLeft, !transposeRight, !epilogue.addend,
                ThinProductStep.suits(rows: rows, inner: inner, columns: columns)
            {
                return try addThinProduct(value, epilogue, inner: inner)
            }
            let primitive = try Primitive.matrixProduct(
                engine, rows: rows, inner: inner, columns: columns, transposeLeft: transposeLeft,
                transposeRight: transposeRight, epilogue)
            try addProduct(value, primitive, epilogue)
        default: return
        }
    }

    private mutating func addProduct(
        _ value: ValueID, _ primitive: Primitive, _ epilogue: Epilogue, activation: FusedActivation? = nil
    ) throws(GraftError) {
        let node = graph[value]
        var operands: [BufferID] = []
        for operand in node.operands { try operands.append(location(of: operand)) }
        var packing = primitive.packedByteCount > 0 ? try primitive.packing() : nil
        if let primitivePacking = packing, isStable(operands[1]) {
            let packed = newBuffer(primitive.packedByteCount / MemoryLayout<Float>.stride)
            let step = PackingStep(primitive: primitivePacking, source: operands[1], target: packed)
            add(step, reads: [operands[1]], writes: [packed], label: node.label, operation: "packing")
            operands[1] = packed
            packing = nil
        }
        let bias = epilogue.bias ? operands[2] : nil
        let addend = epilogue.addend ? operands[operands.count - 1] : nil
        let (reads, threads) = (operands, threads)
        try add(value, reads: reads) { target throws(GraftError) in
            try ProductStep(
                primitive: primitive, packing: packing, source: reads[0], weights: reads[1], bias: bias,
                addend: addend, target: target, elementCount: node.shape.elementCount,
                activation: activation.map { activation throws(GraftError) in
                    try ProgramStep(activation, inPlaceOf: target, shape: node.shape, threads: threads)
                })
        }
        // The result may take the addend's memory, unless the addend is read in another place as well.
        if let addend, reads.filter({ $0 == addend }).count == 1 {
            allowSharing([(operand: addend, result: try location(of: value))])
        }
    }

    private mutating func addThinProduct(
        _ value: ValueID, _ epilogue: Epilogue, inner: Int
    ) throws(GraftError) {
        let node = graph[value]
        var operands: [BufferID] = []
        for operand in node.operands { try operands.append(location(of: operand)) }
        let (reads, threads) = (operands, threads)
        try add(value, reads: reads) { target throws(GraftError) in
            try ThinProductStep(
                rows: node.shape[0], inner: inner, columns: node.shape[1], left: reads[0], right: reads[1],
                bias: epilogue.bias ? reads[2] : nil, target: target, threads: threads,
                activation: epilogue.activation.map { activation throws(GraftError) in
                    try ProgramStep(activation, inPlaceOf: target, shape: node.shape, threads: threads)
                })
        }
    }

    private mutating func addKernelGradient(_ value: ValueID, _ primitive: Primitive) throws(GraftError) {
        let operands = graph[value].operands
        let (input, gradient) = (try location(of: operands[0]), try location(of: operands[1]))
        let unpacking = primitive.packedByteCount > 0 ? try primitive.packing() : nil
        try add(value, reads: [input, gradient]) { target throws(GraftError) in
            KernelGradientStep(
                primitive: primitive, unpacking: unpacking, input: input, outputGradient: gradient, target: target)
        }
    }
}
