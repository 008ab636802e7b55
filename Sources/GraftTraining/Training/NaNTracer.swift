import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// Where the first NaN or infinity arose in a step whose loss is NaN or infinite.
enum NaNOrigin {
    /// A variable held one before the step: the update before it was too large.
    case variable(Variable)
    /// An example's input, by its number in the dataset; of a kept feature, the layer of the trunk that made it.
    case input(example: Int, trunkLayer: String?)
    /// An example's target.
    case target(example: Int)
    /// The result of a layer, by its name; and how large the numbers of its variables are, where it has any.
    case layer(String, operation: String, largestWeight: Float?)
    /// The formula of the loss, from finite predictions.
    case loss(operation: String)
    /// Nothing that a second run shows.
    case unknown

    /// Where it was and what may help, to append to "the loss became nan …: ".
    func explanation(step: Int) -> String {
        switch self {
        case .variable(let variable):
            let when = step > 1 ? "step \(step - 1) left" : "training began with"
            return
                "\(when) numbers in \(variable.path) that are not finite; use a smaller learning rate, or clip gradients"
        case .input(let example, let layer?):
            return
                "layer \(layer) of the frozen part gives numbers that are not finite for training example \(example); "
                + "look at that example and at the weights that were loaded"
        case .input(let example, nil):
            return
                "the input of training example \(example) has numbers that are not finite; mend or leave out that example"
        case .target(let example):
            return "the target of training example \(example) is not finite; mend or leave out that example"
        case .layer(let name, let operation, let weight):
            let size = weight.map { ", whose weights reach \($0)" } ?? ""
            return
                "the first numbers that are not finite came out of layer \(name) (\(operation))\(size); use a smaller "
                + "learning rate, and look at what goes into that layer"
        case .loss(let operation):
            return
                "every layer's result is finite, the formula of the loss (\(operation)) is not; a logarithm of 0 or a "
                + "division by 0 is the likeliest cause"
        case .unknown: return "use a smaller learning rate, and check inputs and targets"
        }
    }
}

/// NaN tracing: runs a step again, operation by operation and without its updates, to find where the first NaN or infinity
/// arose. It runs after that has happened, so that steps pay nothing for it.
struct NaNProbe {
    let backend: any Backend

    /// The first node, in the order of computation, whose result is not finite where everything that it reads is.
    ///
    /// - Parameter graph: its first output is what became NaN or infinite.
    func firstNode(
        of graph: Graph, inputs: [String: Tensor], values: [VariableID: Tensor], randomKey: UInt64
    ) throws -> Graph.Node? {
        guard let output = graph.outputs.first else { return nil }
        let probed = graph.ancestors(of: output).filter { !graph[$0].operands.isEmpty }
        let scope = GraphScope(graph)
        scope.graph.updates = []
        // x − x is 0, and NaN where x is NaN or infinite.
        scope.graph.outputs = try probed.map { try (scope[$0] - scope[$0]).reduced(.sum).id }
        let pruned = try scope.graph.pruned()
        let plan = try backend.compile(pruned)
        let read = Set(pruned.readVariables)
        try plan.bind(values.filter { read.contains($0.key) })
        let results = try plan.run(inputs, randomKey: randomKey)
        return zip(probed, results).first { $0.1[0] != 0 }.map { graph[$0.0] }
    }
}

extension Graph {
    /// What a value depends on, itself included, in order.
    fileprivate func ancestors(of value: ValueID) -> [ValueID] {
        var isNeeded = [Bool](repeating: false, count: nodes.count)
        isNeeded[value.index] = true
        for index in nodes.indices.reversed() where isNeeded[index] {
            for operand in nodes[index].operands { isNeeded[operand.index] = true }
        }
        return nodes.indices.filter { isNeeded[$0] }.map(ValueID.init(index:))
    }
}

/// Looks where a run stopped being finite: NaN tracing. Done when that has happened, so that steps pay nothing for it.
struct NaNTracer {
    private let backend: any Backend
    private let trained: TrainedModel
    private let training: any Dataset

    init(_ backend: any Backend, _ trained: TrainedModel, _ training: any Dataset) {
        (self.backend, self.trained, self.training) = (backend, trained, training)
    }

    /// Looks where a step's loss stopped being finite.
    ///
    /// - Parameter runner: has just run the step.
    func origin(
        of batch: FedBatch, _ runner: StepRunner, scalars: [String: Float], randomKey: UInt64
    ) -> NaNOrigin {
        // A search that fails must not hide what it was to explain.
        (try? search(batch.batch, runner, scalars, randomKey)) ?? .unknown
    }

    private func search(
        _ batch: SourceBatch, _ runner: StepRunner, _ scalars: [String: Float], _ randomKey: UInt64
    ) throws -> NaNOrigin? {
        guard let program = runner.program else { return nil }
        let values = runner.values(updatedOnly: false)
        if let variable = Self.lastNonFinite(values, program) { return .variable(variable) }
        if let row = Self.rowOfNonFinite(batch.tensors) {
            let example = batch.indices[row]
            return .input(example: example, trunkLayer: try trunkLayer(thatFailsFor: example))
        }
        if let row = Self.rowOfNonFinite(batch.targets) { return .target(example: batch.indices[row]) }
        let inputs = try runner.plans.inputs(of: batch, to: program).mapValues(\.tensor)
            .merging(scalars.mapValues { Tensor($0) }) { own, _ in own }
        let node = try NaNProbe(backend: backend).firstNode(
            of: program.graph, inputs: inputs, values: values, randomKey: randomKey)
        guard let node else { return nil }
        if node.label.isEmpty { return .loss(operation: node.operation.name) }
        return Self.origin(in: node, values) { program.variables[$0] }
    }

    /// The variable nearest to the loss that holds an element that is not finite: gradients come from there, so it was the
    /// first.
    static func lastNonFinite(_ values: [VariableID: Tensor], _ program: StepProgram) -> Variable? {
        let wrong = program.variables.keys.filter { values[$0]?.isFinite == false }
        return wrong.max { $0.rawValue < $1.rawValue }.flatMap { program.variables[$0] }
    }

    /// Looks why an epoch left a variable with elements that are not finite, though every loss was: an activation such as ReLU
    /// may hide them. Goes through the epoch's inputs, and looks at what the layers make of the first batch with the variables
    /// of its beginning, which the model has still.
    ///
    /// - Parameter order: the epoch's.
    /// - Returns: the step, 1 for the first, and where in it; `nil` where nothing is found.
    func originInEpoch(
        of examples: Examples, order: [Int], batchSize: Int
    ) throws -> (origin: NaNOrigin, step: Int)? {
        let stream = BatchStream(examples.source, order: order, batchSize: batchSize)
        var step = 0
        while let batch = try stream.next() {
            guard !batch.indices.isEmpty else { continue }
            step += 1
            let inputs = batch.tensors
            if let row = Self.rowOfNonFinite(inputs) {
                let example = batch.indices[row]
                return (.input(example: example, trunkLayer: try trunkLayer(thatFailsFor: example)), step)
            }
            if step == 1, let origin = try originInLayers(inputs, batchSize: batch.indices.count) {
                return (origin, step)
            }
        }
        return nil
    }

    private func originInLayers(_ inputs: [Tensor], batchSize: Int) throws -> NaNOrigin? {
        let parts = try trained.parts(batchSize: batchSize, training: true)
        let values = parts.values(readBy: parts.graph)
        let node = try NaNProbe(backend: backend).firstNode(
            of: parts.graph, inputs: Dictionary(uniqueKeysWithValues: zip(parts.inputNames, inputs)),
            values: values, randomKey: 0)
        return node.map { Self.origin(in: $0, values) { parts.variables[$0.rawValue] } }
    }

    private static func origin(
        in node: Graph.Node, _ values: [VariableID: Tensor], variable: (VariableID) -> Variable?
    ) -> NaNOrigin {
        let layer = node.label.split(separator: "/").last.map(String.init) ?? node.label
        let largest = values.compactMap { id, value -> Float? in
            let owner = variable(id)?.path.split(separator: "/").dropLast().last.map(String.init)
            return owner == layer ? value.largestMagnitude : nil
        }.max()
        return .layer(node.label, operation: node.operation.name, largestWeight: largest)
    }

    private static func rowOfNonFinite(_ tensors: [Tensor]) -> Int? {
        for tensor in tensors where !tensor.isFinite {
            let size = tensor.count / max(tensor.shape[0], 1)
            return tensor.withUnsafeBuffer { elements in elements.firstIndex { !$0.isFinite }.map { $0 / size } }
        }
        return nil
    }

    /// The layer of the trunk that gives a feature that is not finite; `nil` without a trunk, or where the input is not
    /// finite itself.
    private func trunkLayer(thatFailsFor example: Int) throws -> String? {
        let parts = try trained.parts(batchSize: 1, training: true)
        guard let trunk = parts.trunk else { return nil }
        let batch = try training.batch([example])
        guard batch.inputs.allSatisfy(\.isFinite) else { return nil }
        let inputs = Dictionary(uniqueKeysWithValues: zip(parts.modelInputNames, batch.inputs))
        return try NaNProbe(backend: backend).firstNode(
            of: trunk, inputs: inputs, values: parts.values(readBy: trunk), randomKey: 0)?.label
    }
}

extension Tensor {
    /// The largest of all magnitudes.
    fileprivate var largestMagnitude: Float {
        withUnsafeBuffer { elements in elements.reduce(0) { max($0, abs($1)) } }
    }
}
