/// Turns a graph into steps over buffers.
///
/// Each node becomes one step; loop-invariant weights are prepacked by a step of the preparation; reshapes become nothing; the
/// elementwise updates of one variable become one step.
struct PlanCompiler {
    let graph: Graph
    let engine: Engine
    let threads: Int
    let paths: FastPaths

    private(set) var buffers: [Buffer] = []
    private(set) var plannedSteps: [PlannedStep] = []
    /// The buffer of each value, by its position in the graph.
    private(set) var locations: [BufferID?]
    /// The inputs in the order of their positions.
    private(set) var inputs: [(name: String, shape: Shape)] = []
    /// The variables in the order of their positions.
    private(set) var variables: [PlannedVariable] = []
    private(set) var constants: [Tensor] = []
    /// The buffer of each output, of place `.output`.
    private(set) var outputs: [(buffer: BufferID, shape: Shape)] = []
    /// Loop-invariant buffers, the same for all runs of a binding, with the variables that they depend on.
    private var invariant: [BufferID: Set<Int>] = [:]
    private var groups: UpdateGroups
    /// Casts of kernels that only convolutions read.
    private let packedOnly: Set<ValueID>
    /// The inputs that steps may read as bitmap-compressed rows.
    private(set) var bitmapInputs: Set<BufferID> = []
    /// By relu: the average pooling that is fused with it.
    private let pooledRelus: [ValueID: ValueID]
    private let fusedPoolings: Set<ValueID>
    /// The values that may be computed in a slice of a concatenation.
    let slices: [ValueID: ChannelSlice]
    /// By outermost concatenation: the result's buffer, once something is computed in it.
    var wholes: [ValueID: BufferID] = [:]

    init(
        _ graph: Graph, engine: Engine, threads: Int, paths: FastPaths, bitmapInputs: Set<String>
    ) throws(GraftError) {
        (self.graph, self.engine, self.threads, self.paths) = (graph, engine, threads, paths)
        locations = Array(repeating: nil, count: graph.nodes.count)
        groups = UpdateGroups(graph, paths)
        packedOnly = graph.kernelCasts
        pooledRelus = paths.allows(.pooledRelu) ? graph.pooledRelus : [:]
        fusedPoolings = Set(pooledRelus.values)
        slices = paths.allows(.concatenationSlices) ? graph.channelSlices : [:]
        try compileLeaves(bitmapInputs: paths.allows(.bitmapRows) ? bitmapInputs : [])
        for index in graph.nodes.indices { try compile(ValueID(index: index)) }
        compileOutputs()
        compileUpdates()
    }

    /// In which forms steps read each input.
    var inputForms: [InputForms] {
        var forms = inputs.map { _ in InputForms() }
        for planned in plannedSteps {
            for buffer in planned.reads {
                guard case .input(let position) = self[buffer].kind else { continue }
                forms[position].elementType = self[buffer].elementType
                if planned.step.readsBitmap(buffer) {
                    forms[position].isBitmap = true
                } else {
                    forms[position].isDense = true
                }
            }
        }
        // What becomes a variable as it was given is copied by steps that the ``Schedule`` adds.
        for (_, buffer) in updateSources {
            guard case .input(let position) = self[buffer].kind else { continue }
            forms[position].elementType = self[buffer].elementType
            forms[position].isDense = true
        }
        return forms
    }

    // MARK: Buffers

    mutating func newBuffer(
        _ elementCount: Int, _ kind: Buffer.MemoryKind = .temporary, of type: ElementType = .float32
    ) -> BufferID {
        buffers.append(Buffer(kind: kind, elementCount: elementCount, elementType: type))
        return BufferID(index: buffers.count - 1)
    }

    /// Memory for a value.
    mutating func newBuffer(for value: ValueID) -> BufferID {
        newBuffer(graph[value].shape.elementCount, of: graph[value].elementType)
    }

    subscript(buffer: BufferID) -> Buffer {
        get { buffers[buffer.index] }
        set { buffers[buffer.index] = newValue }
    }

    /// The buffer of a value.
    func location(of value: ValueID) throws(GraftError) -> BufferID {
        guard let location = locations[value.index] else {
            throw GraftError(.argument, "value \(value.index) of the graph is read before it is computed")
        }
        return location
    }

    mutating func place(_ value: ValueID, at buffer: BufferID) { locations[value.index] = buffer }

    func shape(_ value: ValueID) -> Shape { graph.shape(of: value) }

    /// Whether a buffer is the same for all runs of a binding.
    func isLoopInvariant(_ buffer: BufferID) -> Bool { invariant[buffer] != nil }

    // MARK: Steps

    /// Adds the step that `make` returns for a new buffer, or a given one, and places the value there.
    mutating func add(
        _ value: ValueID, reads: [BufferID], into given: BufferID? = nil,
        make: (BufferID) throws(GraftError) -> any Step
    ) throws(GraftError) {
        let node = graph[value]
        let target = given ?? newBuffer(for: value)
        place(value, at: target)
        try add(make(target), reads: reads, writes: [target], label: node.label, operation: node.operation.name)
        countFlops(of: [value])
        noteShapes(of: value)
    }

    /// Keeps the shapes of the last step's operation, for messages.
    mutating func noteShapes(of value: ValueID) {
        guard let last = plannedSteps.indices.last else { return }
        plannedSteps[last].shapes = (graph[value].operands.map { shape($0) }, shape(value))
    }

    /// Counts the last step's arithmetic: that of the values that it computes.
    mutating func countFlops(of values: [ValueID]) {
        guard let last = plannedSteps.indices.last else { return }
        plannedSteps[last].flopCount = values.reduce(0) { sum, value in
            let node = graph[value]
            return sum + node.operation.flopCount(of: node.operands.map { shape($0) }, result: node.shape)
        }
    }

    /// Whether a step that reads loop-invariant buffers runs once for each binding.
    enum Preparation {
        case never
        /// Unless its result is large and cheap to recompute.
        case ifWorthKeeping
        /// Prepacked weights.
        case always
    }

    /// Adds a step; to the preparation where all that it reads is loop-invariant and `preparation` allows it.
    mutating func add(
        _ step: any Step, reads: [BufferID], writes: [BufferID], label: String, operation: String,
        preparation: Preparation = .ifWorthKeeping
    ) {
        let dependencies = reads.map { invariant[$0] }
        let isInvariant = !reads.isEmpty && dependencies.allSatisfy { $0 != nil }
        let isAllowed =
            switch preparation {
            case .never: false
            case .ifWorthKeeping: isWorthKeeping(writes, madeFrom: reads)
            case .always: true
            }
        let isPreparation = isInvariant && isAllowed
        let variables = dependencies.reduce(into: Set<Int>()) { $0.formUnion($1 ?? []) }
        if isPreparation { for buffer in writes { invariant[buffer] = variables } }
        plannedSteps.append(
            PlannedStep(
                step: step, reads: reads, writes: writes, label: label, operation: operation,
                isPreparation: isPreparation, variables: variables))
    }

    /// Allows the last step's results to take the memory of its operands.
    mutating func allowSharing(_ pairs: [(operand: BufferID, result: BufferID)]) {
        guard let last = plannedSteps.indices.last, !plannedSteps[last].isPreparation else { return }
        plannedSteps[last].mayShare = pairs
    }

    mutating func scheduleLastEarly() {
        if let last = plannedSteps.indices.last { plannedSteps[last].isScheduledEarly = true }
    }

    /// Broadcasts are not cached: recomputing them is cheaper than reading them. A folded kernel is.
    private func isWorthKeeping(_ writes: [BufferID], madeFrom reads: [BufferID]) -> Bool {
        let written = writes.reduce(0) { $0 + buffers[$1.index].elementCount }
        return written <= paths.machine.smallPrepared
            || written <= 2 * reads.reduce(0) { $0 + buffers[$1.index].elementCount }
    }

    // MARK: Leaves

    private mutating func compileLeaves(bitmapInputs names: Set<String>) throws(GraftError) {
        let updated = Set(graph.updates.map(\.variable))
        for (index, node) in graph.nodes.enumerated() {
            let value = ValueID(index: index)
            switch node.operation {
            case .leaf(.input(let name, let shape)):
                let position = inputs.firstIndex { $0.name == name } ?? inputs.count
                if position == inputs.count { inputs.append((name, shape)) }
                let buffer = newBuffer(shape.elementCount, .input(position), of: node.elementType)
                if names.contains(name), graph.isMultipliedAlone(value, paths) { bitmapInputs.insert(buffer) }
                place(value, at: buffer)
            case .leaf(.variable(let id, let shape)):
                let variable = PlannedVariable(
                    id: id, shape: shape, elementType: node.elementType, isUpdated: updated.contains(id))
                place(value, at: buffer(of: variable))
            case .leaf(.constant(let tensor)):
                let buffer = newBuffer(tensor.count, .constant(constants.count), of: node.elementType)
                constants.append(tensor.stored(as: node.elementType))
                invariant[buffer] = []
                place(value, at: buffer)
            default: break
            }
        }
    }

    private mutating func buffer(of variable: PlannedVariable) -> BufferID {
        if let known = buffers.firstIndex(where: { buffer in
            if case .variable(let position) = buffer.kind { variables[position].id == variable.id } else { false }
        }) {
            return BufferID(index: known)
        }
        let buffer = newBuffer(variable.shape.elementCount, .variable(variables.count), of: variable.elementType)
        if !variable.isUpdated { invariant[buffer] = [variables.count] }
        variables.append(variable)
        return buffer
    }

    // MARK: Nodes

    private mutating func compile(_ value: ValueID) throws(GraftError) {
        if let group = groups.group(of: value) {
            // Values between the members may read the first ones: their buffers are known before they are computed.
            if group.first == value {
                for member in group.members { place(member, at: newBuffer(for: member)) }
            }
            if group.last == value { try compile(group) }
            return
        }
        guard !groups.isFused(value) else { return }
        // Its readers depend on the update's step.
        guard !groups.isInputGradient(value) else { return place(value, at: newBuffer(for: value)) }
        let node = graph[value]
        switch node.operation {
        case .leaf: return
        case .convolution, .product: try compileProduct(value)
        // An array without elements needs no step.
        case _ where node.shape.elementCount == 0: place(value, at: newBuffer(for: value))
        case .movement(.reshape): place(value, at: try location(of: node.operands[0]))
        // The step that packs a kernel rounds it as well.
        case .movement(.cast) where packedOnly.contains(value): place(value, at: try location(of: node.operands[0]))
        case .pooling(.averagePooling) where fusedPoolings.contains(value): return
        case .elementwise(.unary(.relu)):
            guard let pooling = pooledRelus[value] else { return try compileProgram(value) }
            try compileRelu(value, ofPooling: pooling)
        case .movement(.cast) where node.elementType == .int32 || graph[node.operands[0]].elementType == .int32:
            try compileIntegerCast(value)
        case .elementwise, .movement(.cast), .movement(.broadcast), .random(.stochasticRounding):
            try compileProgram(value)
        default: try compileKernel(value)
        }
    }

    // MARK: Outputs and updates

    /// Values that only outputs read are written to the caller's memory; others are copied there.
    private mutating func compileOutputs() {
        for value in graph.outputs {
            guard let location = locations[value.index] else { continue }
            if case .output = self[location].kind {
                outputs.append((location, shape(value)))
            } else if case .temporary = self[location].kind, !isLoopInvariant(location) {
                self[location].kind = .output(outputs.count)
                outputs.append((location, shape(value)))
            } else {
                let target = newBuffer(shape(value).elementCount, .output(outputs.count))
                addCopy(from: location, to: target, label: "output")
                outputs.append((target, shape(value)))
            }
        }
    }

    /// Notes the buffers of updated variables' next values. The ``Schedule`` decides which are computed in place; here only values
    /// that are variables themselves are copied.
    private mutating func compileUpdates() {
        for update in graph.updates {
            guard let location = locations[update.value.index] else { continue }
            let type = self[location].elementType
            _ = buffer(
                of: PlannedVariable(
                    id: update.variable, shape: shape(update.value), elementType: type, isUpdated: true))
            // A variable's old value must be read before the variable is written.
            if case .variable(let position) = self[location].kind, variables[position].isUpdated {
                let aside = newBuffer(self[location].elementCount, of: type)
                addCopy(from: location, to: aside, label: "update")
                updateSources.append((update.variable, aside))
            } else {
                updateSources.append((update.variable, location))
            }
        }
    }

    /// For each update the buffer that holds the next value.
    private(set) var updateSources: [(variable: VariableID, buffer: BufferID)] = []

    mutating func addCopy(from source: BufferID, to target: BufferID, label: String) {
        let parts = BlockCopy.elements(self[source].elementCount).map {
            CopyStep.Part(source: source, sourceOffset: $0.offset, targetOffset: $0.offset, block: $0.block)
        }
        plannedSteps.append(
            PlannedStep(
                step: CopyStep(parts: parts, target: target, zeroCount: 0, elementType: self[source].elementType),
                reads: [source], writes: [target], label: label, operation: "copy", isPreparation: false, variables: [])
        )
    }
}

extension Graph {
    /// The casts of float32 values that are only read as kernels, by convolutions and their input gradients.
    fileprivate var kernelCasts: Set<ValueID> {
        var (casts, others): (Set<ValueID>, Set<ValueID>) = ([], Set(roots))
        for node in nodes {
            for (position, operand) in node.operands.enumerated() {
                switch node.operation {
                case .convolution(.forward) where position == 1, .convolution(.inputGradient) where position == 1:
                    casts.insert(operand)
                default: others.insert(operand)
                }
            }
        }
        return casts.subtracting(others).filter { value in
            guard case .movement(.cast) = self[value].operation else { return false }
            return self[self[value].operands[0]].elementType == .float32
        }
    }
}

extension Graph {
    /// Whether a value is nothing but the left side of products with large matrices, and of their gradients.
    fileprivate func isMultipliedAlone(_ value: ValueID, _ paths: FastPaths) -> Bool {
        productsMultiplying(value)?.allSatisfy { product in
            let node = self[product]
            guard case .product(let operation) = node.operation, !operation.transposeLeft else { return true }
            return SkinnyNNStep.suits(
                rows: node.shape[0], inner: self[node.operands[0]].shape[1], columns: node.shape[1], isBitmap: true,
                paths.machine)
        } ?? false
    }
}
