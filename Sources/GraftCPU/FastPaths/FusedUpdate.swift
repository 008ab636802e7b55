extension FastPath {
    /// The gradient of a dense layer's kernel is computed tile by tile within its update, and never stored (``GradientStep``).
    ///
    /// Buys 38 → 18 ms of a step of the tutorial's head. Never to go while heads are large.
    static let fusedUpdate = FastPath("fused-update", page: "08-fused-update", .update(FusedDenseUpdate.self))

    /// The same for the kernel of a convolution (``ConvolutionGradientStep``).
    ///
    /// Buys up to 1.9 times oneDNN's kernel gradient on images of 7 × 7, update included. Can go when oneDNN skips padding there.
    static let fusedConvolutionUpdate = FastPath(
        "fused-convolution-update", page: "20-convolution-kernel-gradient", .update(FusedConvolutionUpdate.self))
}

enum FusedDenseUpdate: GradientFusion {
    /// Short rows leave vectors empty; many examples, packed, do not fit the second-level cache.
    static func suits(_ gradient: ValueID, in graph: Graph, _ machine: Machine) -> Bool {
        guard let product = graph.transposedProduct(gradient) else { return false }
        return product.columns >= machine.leastGradientColumns
            && product.examples * product.columns <= machine.gradientPanel
    }

    static func fusesInputGradient(rows: Int, inner: Int, columns: Int, _ machine: Machine) -> Bool {
        SkinnyNT.suits(rows: rows, inner: inner, columns: columns, machine)
    }

    static func step(_ site: FusedUpdateSite, in compiler: PlanCompiler) throws(GraftError) -> FusedUpdate {
        guard let product = compiler.graph.transposedProduct(site.gradient.value) else {
            throw GraftError(.backend, "the gradient of a dense layer is none; this is a fault in Graft")
        }
        let (left, right) = (try compiler.location(of: product.left), try compiler.location(of: product.right))
        let input = try site.gradient.inputGradient.map { value throws(GraftError) in
            GradientStep.InputGradient(
                kernel: try compiler.location(of: compiler.graph[value].operands[1]),
                target: try compiler.location(of: value))
        }
        let step = GradientStep(
            site.program,
            GradientStep.Product(
                left: left, right: right, examples: product.examples, rows: product.rows, columns: product.columns,
                isBitmap: compiler.bitmapInputs.contains(left),
                multipliesZeros: !compiler.paths.allows(.skippedZeros)), input, operands: site.operands,
            targets: site.targets, threads: compiler.threads)
        return FusedUpdate(
            step: step, reads: [left, right] + (input.map { [$0.kernel] } ?? []),
            writes: input.map { [$0.target] } ?? [])
    }
}

enum FusedConvolutionUpdate: GradientFusion {
    static func suits(_ gradient: ValueID, in graph: Graph, _ machine: Machine) -> Bool {
        graph.kernelGradientGeometry(gradient).map { suits($0, machine) } ?? false
    }

    /// Small images, whose output's gradient fits the second-level cache, and enough channels to fill vectors and to divide the
    /// work. Measured against oneDNN's kernel gradients.
    private static func suits(_ geometry: ConvolutionGeometry, _ machine: Machine) -> Bool {
        let (rows, columns) = (geometry.kernel[2], geometry.kernel[3])
        let pixels = geometry.output.elementCount / columns
        return geometry.convolution.groups == 1 && rows >= machine.leastGradientRows
            && columns >= machine.leastGradientColumns && pixels * columns <= machine.gradientPanel
            && geometry.input.elementCount <= machine.gradientInput
    }

    static func step(_ site: FusedUpdateSite, in compiler: PlanCompiler) throws(GraftError) -> FusedUpdate {
        let value = site.gradient.value
        guard let geometry = compiler.graph.kernelGradientGeometry(value) else {
            throw GraftError(.backend, "the gradient of a convolution's kernel is none; this is a fault in Graft")
        }
        let factors = ConvolutionGradientStep.Factors(
            input: try compiler.location(of: compiler.graph[value].operands[0]),
            outputGradient: try compiler.location(of: compiler.graph[value].operands[1]),
            scale: try site.gradient.scale.map { scale throws(GraftError) in try compiler.location(of: scale) })
        let step = ConvolutionGradientStep(
            site.program, geometry, factors, operands: site.operands, targets: site.targets,
            threads: compiler.threads)
        return FusedUpdate(
            step: step, reads: [factors.input, factors.outputGradient] + (factors.scale.map { [$0] } ?? []))
    }
}

extension Graph {
    /// The convolution whose kernel gradient a value is, in float32.
    func kernelGradientGeometry(_ value: ValueID) -> ConvolutionGeometry? {
        let node = self[value]
        guard case .convolution(.kernelGradient) = node.operation, node.shape.elementCount > 0,
            readsAndMakesFloat32(value)
        else { return nil }
        return ConvolutionGeometry(node, operands: node.operands.map { shape(of: $0) }, [.float32, .float32])
    }
}
