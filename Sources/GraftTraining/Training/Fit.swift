import GraftData
import GraftFeatures
import GraftGraph
import GraftModel

/// One call of `fit`, from the checks to the history.
///
/// The model's variables change at the end of an epoch and at no other time: while an epoch runs, the plan changes
/// copies of its own. So whatever ends a run in the middle of an epoch, a wish to stop, an error, a callback that
/// throws, leaves the model of the last complete epoch.
final class FitRun {
    /// What `fit` was asked for.
    struct Arguments {
        var batchSize: Int
        var epochs: Int
        var shuffle: Bool
        var seed: UInt64
        var weights: ExampleWeights?
        var callbacks: [any Callback]
        var options: TrainingOptions
        var checkpoint: Checkpointing?
        /// Whether a loss that is no number is traced to where it came from.
        var explainsFailures = true
    }

    let model: Model
    let arguments: Arguments
    let backend: any Backend
    let run: TrainingRun
    /// What remembers between runs; handed back when the run ends.
    var compilation: Compilation
    /// Where the loop of training is.
    var position: RunPosition
    /// What the running epoch made of variables in an earlier process, until the first step takes it.
    var runningValues: [Variable: Tensor] = [:]
    /// The validation examples that are known to be unreadable.
    var validationUnreadable: Set<Int> = []
    /// The failures of an earlier process that this one has not met again.
    var failuresBefore: [ExampleFailure] = []
    /// The number of training examples, readable or not.
    var exampleCount: Int { training.count }
    /// The number of validation examples, readable or not; 0 without.
    var validationCount: Int { validation?.count ?? 0 }
    let training: any Dataset
    let validation: (any Dataset)?
    let randomness: RunRandomness
    /// The batches of the next epoch, where they are being read already, and the order for which they are.
    var streamAhead: (order: [Int], stream: BatchStream)?
    let checkpointer: Checkpointer?
    var identity: RunIdentity?
    /// Whether somebody asked to stop at a moment at which a checkpoint can be taken.
    private var stoppedAtRest = false

    init(
        _ model: Model, _ compilation: Compilation, training: any Dataset, validation: (any Dataset)?,
        _ arguments: Arguments
    ) throws {
        (self.model, self.compilation, self.arguments) = (model, compilation, arguments)
        (self.training, self.validation) = (training, validation)
        backend = try arguments.options.makeBackend()
        randomness = RunRandomness(seed: arguments.seed)
        checkpointer = arguments.checkpoint.map(Checkpointer.init)
        position = RunPosition(compilation.metrics)
        run = TrainingRun(model: model, compilation)
    }

    /// Trains.
    ///
    /// - Throws: `GraftError` for data that does not fit, for a loss that is no number, and what callbacks throw.
    func execute() throws -> History {
        try buildIfNeeded()
        let targetShape = try DataCheck(model: model, loss: compilation.loss).check(training, validation)
        for dataset in [training, validation].compactMap(\.self) {
            try DataCheck.checkClassNames(of: dataset, model: model)
        }
        let options = arguments.options
        let trained = try TrainedModel(model, mayKeepTrunk: options.features.location != .none)
        run.changingVariables = model.variables.filter(trained.changing.contains)
        // What is being written when the run ends is written to its end, whatever ends it.
        defer { checkpointer?.finish() }
        // A rate that a callback set after the last step holds for the next call of `fit` too.
        defer { compilation.chosenRate = run.chosenRate }
        let resumption = try takeUpCheckpoint(trained)
        let initialization = initializeVariables()
        defer { withExtendedLifetime(initialization) {} }
        try begin(trained)
        if let resumption { try goOn(resumption) }
        // Plans for predictions would hold the variables of before beside those that training makes.
        Predictor.of(model).clear()
        do {
            var sources = try prepareSources(trained)
            let packed = try sources.training.packed()
            let runner = makeTrainingRunner(trained, targetShape, packsInputs: packed != nil)
            defer { keepState(of: runner) }
            if let packed, try runner.readsPackedInputs(batchSize: min(arguments.batchSize, packed.readable.count)) {
                sources.training = packed
            }
            let validator = try sources.validation.map { try Validator(self, $0, trained, targetShape) }
            try train(runner, sources.training, validator)
        } catch let error as GraftError where error.code == .cancelled {
            run.history.isInterrupted = true
            if stoppedAtRest { try takeCheckpoint(nil, atEpochEnd: false, always: true) }
        }
        try endCheckpoints()
        try emit(.ended(run.history))
        return run.history
    }

    /// Has variables that have no value yet take their initial one, while pictures are looked at and the trunk is made ready.
    private func initializeVariables() -> BackgroundWork {
        let work = BackgroundWork(name: "graft variables")
        let variables = model.variables.filter { !$0.isInitialized }
        // Nothing can go wrong with the first piece of work.
        try? work.submit { for variable in variables { _ = variable.value } }
        return work
    }

    /// Ends the run where somebody asked for it; called where every callback has seen what happened.
    func restAndCheckCancellation() throws {
        guard arguments.options.cancellation?.isCancelled == true else { return }
        stoppedAtRest = true
        try arguments.options.checkCancellation()
    }

    /// Tells the callbacks.
    func emit(_ event: TrainingEvent) throws {
        arguments.options.profiler?.handle(event)
        if case .problem(let failure) = event {
            if let known = failuresBefore.firstIndex(of: failure) {
                failuresBefore.remove(at: known)
            } else {
                run.history.failures.append(failure)
            }
        }
        for callback in arguments.callbacks { try callback.handle(event, in: run) }
    }

    /// A stack that was not told the shape of its input takes that of an example, as in Keras.
    private func buildIfNeeded() throws {
        guard model.graph == nil, training.count > 0 else { return }
        let inputs = try training.batch([0]).inputs
        if !inputs.isEmpty { try model.build(inputShapes: inputs.map(\.shape.ofExample)) }
    }

    private func begin(_ trained: TrainedModel) throws {
        let outline = TrainingOutline(
            examples: training.count, validationExamples: validation?.count ?? 0, epochs: arguments.epochs,
            batchSize: arguments.batchSize, trainableParameters: trained.trainableParameters,
            keepsFeatures: trained.keepsTrunk)
        try emit(.began(outline))
        // The saved model is to know its classes and how bytes become its input.
        model.metadata.classNames = model.metadata.classNames ?? training.classNames
        if model.metadata.storedInputRule == nil { model.metadata.setInputRule(training.inputRule) }
    }

    private func prepareSources(_ trained: TrainedModel) throws -> FitSources {
        guard trained.keepsTrunk else { return FitSources(decoding: training, validation) }
        let pass = FeaturePass(
            cache: arguments.options.features, emit: { try self.emit(TrainingEvent($0)) },
            checkCancellation: restAndCheckCancellation, timeline: arguments.options.profiler?.timeline)
        let left = max(arguments.epochs - position.epoch + 1, 1)
        let epochs = compilation.epochCount..<(compilation.epochCount + left)
        let sources = try FitSources(
            pass: pass, over: training, validation, trained, epochs: epochs, backend: backend)
        (run.history.trunkSeconds, run.history.reusedFeatureCount) = (sources.trunkSeconds, sources.reusedCount)
        return sources
    }
}
