import GraftCPU
import GraftModel
import Synchronization
import Testing

@testable import GraftTraining

/// The updates of Keras's optimizers are recognised by the CPU's compiled rules, from the formulas as they stand.
@Suite struct CompiledUpdateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let optimizer: any Optimizer
        let rule: String
        var testDescription: String { rule }
    }

    static let cases = [
        Case(optimizer: SGD(), rule: "descent"),
        Case(optimizer: SGD(momentum: 0.9), rule: "momentum"),
        Case(optimizer: SGD(momentum: 0.9, nesterov: true), rule: "nesterov"),
        Case(optimizer: RMSprop(), rule: "rmsprop"),
        Case(optimizer: RMSprop(momentum: 0.5), rule: "rmsprop_momentum"),
        // Both factors are one constant.
        Case(optimizer: RMSprop(momentum: 0.9), rule: "rmsprop_momentum"),
        Case(optimizer: Adagrad(), rule: "adagrad"),
        Case(optimizer: Adam(), rule: "adam"),
        Case(optimizer: AdamW(), rule: "adamw"),
        Case(optimizer: Nadam(), rule: "nadam"),
        Case(optimizer: Lion(), rule: "lion"),
    ]

    @Test(arguments: cases)
    func theHeadsUpdateIsCompiled(_ optimizer: Case) throws {
        #expect(try Self.kernels(optimizer.optimizer)["graft:gradient+\(optimizer.rule)"] == 1)
    }

    @Test(arguments: [
        Case(optimizer: SGD(momentum: 0.9, settings: narrow), rule: "momentum"),
        Case(optimizer: SGD(momentum: 0.9, nesterov: true, settings: narrow), rule: "nesterov"),
        Case(optimizer: RMSprop(settings: narrow), rule: "rmsprop"),
        Case(optimizer: RMSprop(momentum: 0.5, settings: narrow), rule: "rmsprop_momentum"),
        Case(optimizer: Adagrad(settings: narrow), rule: "adagrad"),
        Case(optimizer: Adam(settings: narrow), rule: "adam"),
        Case(optimizer: AdamW(settings: narrow), rule: "adamw"),
        Case(optimizer: Nadam(settings: narrow), rule: "nadam"),
        Case(optimizer: Lion(settings: narrow), rule: "lion"),
    ])
    func anUpdateWithStateOfBfloat16IsCompiled(_ optimizer: Case) throws {
        #expect(try Self.kernels(optimizer.optimizer)["graft:gradient+\(optimizer.rule)"] == 1)
    }

    private static let narrow = OptimizerSettings(stateType: .bfloat16)

    /// Weight decay that is not the optimizer's own is interpreted.
    @Test func anUpdateWithoutARuleIsInterpreted() throws {
        let optimizer = RMSprop(settings: OptimizerSettings(weightDecay: 0.01))
        #expect(try Self.kernels(optimizer)["graft:gradient+update"] == 1)
    }

    /// How often each kernel is used in a training step of a small head.
    private static func kernels(_ optimizer: any Optimizer) throws -> [String: Int] {
        let input = Input(shape: [6])
        let hidden = try Dense(64, activation: .relu)(input)
        let model = try Model(inputs: input, outputs: Dense(1, activation: .sigmoid)(hidden))
        try model.compile(optimizer: optimizer, loss: .binaryCrossentropy)
        let backend = RecordingBackend()
        var options = TrainingOptions(features: .off)
        options.backend = backend
        let examples = try ArrayDataset(
            inputs: Tensor(repeating: 0.5, shape: [4, 6]), targets: Tensor([0, 1, 0, 1], shape: [4]))
        try model.fit(examples, batchSize: 4, options: options)
        return backend.reports.withLock { $0.first?.implementations ?? [:] }
    }
}

/// The CPU, with the reports of its plans.
private final class RecordingBackend: Backend {
    let reports = Mutex<[PlanReport]>([])
    var capabilities: BackendCapabilities { BackendCapabilities(identity: "\(ObjectIdentifier(self))") }

    func compile(_ graph: Graph, _ options: PlanOptions) throws -> any Plan {
        let report = try CPUPlan(graph).report
        reports.withLock { $0.append(report) }
        return try CPUBackend(options: CPUOptions()).compile(graph, options)
    }
}
