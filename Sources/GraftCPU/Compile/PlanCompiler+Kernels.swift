/// What Graft's own kernels run.
extension PlanCompiler {
    // MARK: Programs

    /// An elementwise operation, or a broadcast, cast or rounding as a program that copies.
    mutating func compileProgram(_ value: ValueID) throws(GraftError) {
        let node = graph[value]
        place(value, at: newBuffer(for: value))
        try addPrograms([(value, node.operation.elementwiseProgram ?? .copying)], results: [value])
    }

    /// The updates of one variable and its optimizer's state.
    mutating func compile(_ group: UpdateGroups.Group) throws(GraftError) {
        try addPrograms(
            group.values.compactMap { value in graph[value].operation.programOfUpdate.map { (value, $0) } },
            results: group.members, isUpdate: true, gradient: group.gradient)
        scheduleLastEarly()
    }

    /// One step for the programs of values of one shape; later ones may read the results of earlier ones.
    ///
    /// - Parameters:
    ///   - results: the values that are written to memory; their buffers exist.
    ///   - gradient: the operand that the step computes itself.
    private mutating func addPrograms(
        _ programs: [(value: ValueID, program: ElementwiseProgram)], results: [ValueID], isUpdate: Bool = false,
        gradient: UpdateGroups.FusedGradient? = nil
    ) throws(GraftError) {
        let node = graph[results[0]]
        var (joined, operands) = join(programs, results: results)
        var (sources, targets): ([BufferID?], [BufferID]) = ([], [])
        for operand in operands { try sources.append(operand == gradient?.operand ? nil : location(of: operand)) }
        for value in results { try targets.append(location(of: value)) }
        joined.operandTypes = sources.map { $0.map { self[$0].elementType } ?? .float32 }
        joined.outputTypes = targets.map { self[$0].elementType }
        joined.roundingStreams = results.map { graph[$0].operation.roundingStream }
        let program = try CompiledProgram(
            joined, result: node.shape, matchesOptimizers: paths.allows(.optimizerKernels))
        let reads = sources.compactMap(\.self)
        if let gradient {
            let site = FusedUpdateSite(gradient: gradient, program: program, operands: sources, targets: targets)
            try add(site, node)
        } else {
            let step = ProgramStep(
                program, operands: reads, targets: targets, count: node.shape.elementCount, threads: threads)
            add(
                step, reads: reads, writes: targets, label: node.label, operation: node.operation.name,
                preparation: isUpdate || node.operation.roundingStream != nil ? .never : .ifWorthKeeping)
        }
        noteShapes(of: gradient?.value ?? results[0])
        let whole = zip(operands, sources).filter { shape($0.0).elementCount == node.shape.elementCount }
        allowSharing(
            targets.flatMap { target in
                let alike = whole.compactMap { $0.1 }.filter { self[$0].elementType == self[target].elementType }
                return alike.map { (operand: $0, result: target) }
            })
    }

    /// The step for a program fused with its gradient: the operand that has no memory.
    private mutating func add(_ site: FusedUpdateSite, _ node: Graph.Node) throws(GraftError) {
        let fused = try site.gradient.fusion.step(site, in: self)
        add(
            fused.step, reads: site.operands.compactMap(\.self) + fused.reads, writes: site.targets + fused.writes,
            label: node.label, operation: node.operation.name, preparation: .never)
        countFlops(of: [site.gradient.value, site.gradient.inputGradient].compactMap(\.self))
    }

    /// The programs as one, with the values that it reads from outside.
    private func join(
        _ programs: [(value: ValueID, program: ElementwiseProgram)], results: [ValueID]
    ) -> (program: JoinedProgram, operands: [ValueID]) {
        let values = programs.map(\.value)
        var operands: [ValueID] = []
        for operand in values.flatMap({ graph[$0].operands })
        where !values.contains(operand) && !operands.contains(operand) {
            operands.append(operand)
        }
        var joined = JoinedProgram(operandShapes: operands.map { shape($0) })
        var registers = Dictionary(uniqueKeysWithValues: zip(operands, operands.indices))
        for (value, program) in programs {
            let reads = graph[value].operands.compactMap { registers[$0] }
            registers[value] = joined.append(program, registers: reads)
        }
        joined.outputs = results.compactMap { registers[$0] }
        return (joined, operands)
    }

    // MARK: The others

    mutating func compileKernel(_ value: ValueID) throws(GraftError) {
        let node = graph[value]
        switch node.operation {
        case .pooling(let pooling): try compilePooling(value, pooling)
        case .reduction(let reduction):
            let (shape, threads) = (shape(node.operands[0]), threads)
            try addSimple(value) { source, target throws(GraftError) in
                try ReductionStep(
                    reduction.function, shape, axes: reduction.axes, source: source, target: target, threads: threads)
            }
        case .softmax(let softmax):
            let isLogarithm = softmax == .logSoftmax
            try addSimple(value) { source, target throws(GraftError) in
                SoftmaxStep(logarithm: isLogarithm, shape: node.shape, source: source, target: target)
            }
        case .random(.uniform(let stream, let shape)):
            try add(value, reads: []) { target throws(GraftError) in
                RandomStep(stream: stream, count: shape.elementCount, target: target)
            }
        case .movement(.concatenation(let axis)): try compileConcatenation(value, axis: axis)
        case .movement(.pad), .movement(.slice): try compileCopy(value)
        case .custom(let custom): try compileCustom(value, custom.rule)
        default: throw GraftError(.backend, "the CPU backend has no kernel for \(node.operation.name)")
        }
    }

    /// A step with one operand.
    private mutating func addSimple(
        _ value: ValueID, make: (BufferID, BufferID) throws(GraftError) -> any Step
    ) throws(GraftError) {
        let source = try location(of: graph[value].operands[0])
        try add(value, reads: [source]) { target throws(GraftError) in try make(source, target) }
    }

    private mutating func compilePooling(_ value: ValueID, _ pooling: Pooling) throws(GraftError) {
        let node = graph[value]
        let first = shape(node.operands[0])
        switch pooling {
        case .maxPooling(let window): try addPooling(value, of: node.operands[0], .maximum, window)
        case .averagePooling(let window): try addPooling(value, of: node.operands[0], .average(relu: false), window)
        case .averagePoolingGradient(let window, let input):
            try addSimple(value) { source, target throws(GraftError) in
                PoolingStep(.averageGradient, window, (input, first), source: source, target: target)
            }
        case .maxPoolingGradient(let window):
            let input = try location(of: node.operands[0])
            let gradient = try location(of: node.operands[1])
            let output = shape(node.operands[1])
            try add(value, reads: [input, gradient]) { target throws(GraftError) in
                PoolingStep(.maximumGradient(input), window, (first, output), source: gradient, target: target)
            }
        }
    }

    /// A relu with the average pooling before it, which has no other reader.
    mutating func compileRelu(_ value: ValueID, ofPooling pooling: ValueID) throws(GraftError) {
        guard case .pooling(.averagePooling(let window)) = graph[pooling].operation else { return }
        try addPooling(value, of: graph[pooling].operands[0], .average(relu: true), window)
    }

    /// A pooling, written to its slice of a concatenation where it has one.
    private mutating func addPooling(
        _ value: ValueID, of operand: ValueID, _ kind: PoolingStep.Kind, _ window: Window
    ) throws(GraftError) {
        let (node, input, source) = (graph[value], shape(operand), try location(of: operand))
        let slice = slice(for: value, reading: [source])
        try add(value, reads: [source], into: slice?.target) { target throws(GraftError) in
            PoolingStep(kind, window, (input, node.shape), type: node.elementType, source: source, target: target)
                .writing(pixelStride: slice?.pixelStride)
        }
    }

    // MARK: Copies

    mutating func compileCopy(_ value: ValueID) throws(GraftError) {
        let node = graph[value]
        let reads = try sources(of: value)
        let parts = try copyParts(node, reads)
        var zeroCount = 0
        if case .movement(.pad) = node.operation { zeroCount = node.shape.elementCount }
        try add(value, reads: reads) { target throws(GraftError) in
            CopyStep(parts: parts, target: target, zeroCount: zeroCount, elementType: node.elementType)
        }
    }

    private func copyParts(_ node: Graph.Node, _ sources: [BufferID]) throws(GraftError) -> [CopyStep.Part] {
        let first = shape(node.operands[0])
        switch node.operation {
        case .movement(.pad(let before, _)):
            let block = try blockCopy(first, source: first, target: node.shape)
            return [.init(source: sources[0], sourceOffset: 0, targetOffset: offset(before, node.shape), block: block)]
        case .movement(.slice(let start, let part)):
            let block = try blockCopy(part, source: first, target: part)
            return [.init(source: sources[0], sourceOffset: offset(start, first), targetOffset: 0, block: block)]
        case .movement(.concatenation(let axis)):
            return try concatenatedParts(node, sources, axis: axis, into: node.shape)
        default: return []
        }
    }

    func blockCopy(_ block: Shape, source: Shape, target: Shape) throws(GraftError) -> BlockCopy {
        let copy = BlockCopy(block, source: source, target: target)
        try copy.checkRank()
        return copy
    }

    private func offset(_ position: [Int], _ shape: Shape) -> Int {
        zip(position, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
