import GraftData
import GraftGraph
import GraftModel

extension Distillation {
    /// Trains the student, with all that ``Model/fit(_:batchSize:epochs:validation:shuffle:seed:classWeights:sampleWeights:callbacks:options:checkpoint:)``
    /// does: schedules, moving averages, callbacks, checkpoints and resume.
    ///
    /// The student's layers hold what was learned when it ends; the dense layers of ``trainee(of:)`` are made anew each time.
    /// All of the student runs at every step, frozen layers too: features of them are not kept.
    ///
    /// - Parameters:
    ///   - student: what learns: its layers that are trainable.
    ///   - examples: inputs without targets. The first input of an example is the student's; teachers see the one that they
    ///     name, the same view at a size of their own.
    ///   - mixUp: what mixes the examples of a batch in pairs before the student and the teachers see them, so that each
    ///     epoch has mixtures that were not seen before; nothing where it is `nil`. Validation is never mixed.
    ///   - batchSize: examples in a step.
    ///   - epochs: how often each image is seen, each time as its next view.
    ///   - optimizer: how gradients become changes.
    ///   - validation: examples to measure the loss on after each epoch.
    ///   - shuffle: whether each epoch has an order of its own.
    ///   - seed: what orders and mixtures follow from; initial values follow from the student's seed.
    ///   - callbacks: what follows the run.
    ///   - options: threads, precision of the student, a flag to stop.
    ///   - teacherPrecision: what the teachers compute in; bfloat16 where the processor has it, unless said.
    ///   - answersMemory: how many bytes of the teachers' answers may be kept in memory, so that a teacher is not run again
    ///     on an example, or a view of one, that comes again in a later epoch. An example takes 4 bytes for each number that
    ///     the teachers give, and 96 more. The first that come stay until the run ends; results are the same to the bit,
    ///     however many there are. Not kept are answers to mixtures, which do not come again, and to examples without a
    ///     fingerprint, which may be others the next time. Default 0: teachers answer at each step.
    ///   - checkpoint: where and how often the run is kept. It does not hold the teachers: a run that continues needs the same.
    /// - Throws: `GraftError` with code `argument` where `answersMemory` is negative, `data` where a teacher's input is none
    ///   of the examples', and what ``trainee(of:)`` and `fit` throw.
    @discardableResult
    public func teach(
        _ student: Model, with examples: any Dataset, mixUp: MixUp? = nil, batchSize: Int = 64, epochs: Int = 1,
        optimizer: any Optimizer, validation: (any Dataset)? = nil, shuffle: Bool = true, seed: UInt64 = 0,
        callbacks: [any Callback] = [], options: TrainingOptions = TrainingOptions(),
        teacherPrecision: Precision = .automatic, answersMemory: Int = 0, checkpoint: Checkpointing? = nil
    ) throws -> History {
        let trainee = try trainee(of: student)
        // It is the student that is saved, and it is to know how images become its input.
        if student.metadata.storedInputRule == nil { student.metadata.setInputRule(examples.inputRule) }
        return try teach(
            trainee: trainee, with: examples, mixUp: mixUp, batchSize: batchSize, epochs: epochs, optimizer: optimizer,
            validation: validation, shuffle: shuffle, seed: seed, callbacks: callbacks, options: options,
            teacherPrecision: teacherPrecision, answersMemory: answersMemory, checkpoint: checkpoint)
    }

    /// As the public one, with a student that has its lessons already.
    func teach(
        trainee: Model, with examples: any Dataset, mixUp: MixUp? = nil, batchSize: Int, epochs: Int,
        optimizer: any Optimizer, validation: (any Dataset)? = nil, shuffle: Bool = true, seed: UInt64 = 0,
        callbacks: [any Callback] = [], options: TrainingOptions = TrainingOptions(),
        teacherPrecision: Precision = .automatic, answersMemory: Int = 0, checkpoint: Checkpointing? = nil
    ) throws -> History {
        guard answersMemory >= 0 else {
            throw GraftError(.argument, "answersMemory is \(answersMemory) bytes; it must be 0 or more")
        }
        try trainee.compile(optimizer: optimizer, loss: loss)
        let memory = answersMemory > 0 ? AnswersMemory(limit: answersMemory) : nil
        var (learning, teaching) = (options, options)
        // Kept features of frozen layers would be those of one view, and leave the teachers to be run all the same.
        learning.features = .off
        teaching.precision = teacherPrecision
        teaching.profiler = nil
        func taught(_ dataset: any Dataset, _ part: AnswersMemory.Part, _ mixUp: MixUp?) -> TaughtExamples {
            let mixing = mixUp.map { BatchMixing(mixUp: $0, seed: seed) }
            return TaughtExamples(
                examples: dataset, teachers: teachers, batchSize: batchSize, options: teaching, mixing: mixing,
                memory: mixing == nil ? memory : nil, part: part)
        }
        return try trainee.fit(
            taught(examples, .training, mixUp), batchSize: batchSize, epochs: epochs,
            validation: validation.map { taught($0, .validation, nil) }, shuffle: shuffle, seed: seed,
            callbacks: callbacks, options: learning, checkpoint: checkpoint)
    }
}
