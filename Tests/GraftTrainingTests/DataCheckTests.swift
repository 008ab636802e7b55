import GraftGraph
import GraftModel
import Synchronization
import Testing

@testable import GraftTraining

@Suite struct DataCheckTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var outputs = 3
        var loss = Loss.sparseCategoricalCrossentropy
        var inputShape: Shape = [4, 4]
        var targets: Tensor? = Tensor([0, 1, 2, 1], shape: [4])
        let message: String
    }

    static let cases = [
        Case(
            testDescription: "inputs of another shape", inputShape: [4, 5],
            message: "an example of the training data has the shape (5,); the model takes (4,)"),
        Case(
            testDescription: "no targets", targets: nil,
            message: "the training data has no targets; give a dataset that knows them"),
        Case(
            testDescription: "more classes than outputs", targets: Tensor([0, 1, 3, 1], shape: [4]),
            message: "the target of example 2 of the training data is 3.0; with 3 outputs and the loss "
                + "sparse_categorical_crossentropy it must be a whole number from 0 to 2"),
        Case(
            testDescription: "a class number that is not whole", targets: Tensor([0, 0.5, 1, 1], shape: [4]),
            message: "the target of example 1 of the training data is 0.5; with 3 outputs and the loss "
                + "sparse_categorical_crossentropy it must be a whole number from 0 to 2"),
        Case(
            testDescription: "three classes for one output", outputs: 1, loss: .binaryCrossentropy,
            message: "the target of example 2 of the training data is 2.0; with 1 outputs and the loss "
                + "binary_crossentropy it must be from 0 to 1; for more than two classes the model needs an output for "
                + "each"),
        Case(
            testDescription: "a target that is no number", loss: .meanSquaredError,
            targets: Tensor([Float](repeating: .nan, count: 12), shape: [4, 3]),
            message: "the target of example 0 of the training data is nan; with 3 outputs and the loss "
                + "mean_squared_error it must be a finite number"),
        Case(
            testDescription: "class numbers for rows", loss: .categoricalCrossentropy,
            message: "a target of the training data has the shape (), the model's output (3,); the loss "
                + "categorical_crossentropy needs targets of shape (3,); for class numbers use the loss "
                + "sparse_categorical_crossentropy"),
        Case(
            testDescription: "rows for class numbers", targets: Tensor(zeros: [4, 3]),
            message: "a target of the training data has the shape (3,), the model's output (3,); the loss "
                + "sparse_categorical_crossentropy needs targets of shape ()"),
        Case(
            testDescription: "one class", targets: Tensor([1, 1, 1, 1], shape: [4]),
            message: "all 4 examples of the training data are of one class; a classifier needs two or more"),
    ]

    @Test(arguments: cases)
    func whatDoesNotFitThrowsBeforeAnythingIsComputed(_ wrong: Case) throws {
        let model = try Sequential(
            [Dense(wrong.outputs, activation: wrong.outputs == 1 ? .sigmoid : .softmax)], inputShape: [4], seed: 1)
        try model.compile(optimizer: SGD(), loss: wrong.loss)
        let data = try ArrayDataset(inputs: Tensor(zeros: wrong.inputShape), targets: wrong.targets)
        let events = EventCounter()
        #expect {
            try model.fit(data, callbacks: [events], options: temporary)
        } throws: {
            ($0 as? GraftError)?.message == wrong.message
        }
        #expect(events.count == 0)
    }

    @Test func argumentsOutOfRangeThrow() throws {
        let (model, data) = try smallProblem()
        #expect(message { try model.fit(data, batchSize: 0) } == "batchSize is 0; it must be 1 or more")
        #expect(message { try model.fit(data, epochs: -1) } == "epochs is -1; it must be 1 or more")
        #expect(
            message { try model.fit(data, options: TrainingOptions(threads: 0)) }
                == "threads is 0; it must be 1 or more")
        #expect(message { _ = try model.predict(data, batchSize: 0) } == "batchSize is 0; it must be 1 or more")
        // A refused call leaves the model ready for the next.
        try model.fit(data, options: temporary)
    }

    @Test func emptyDataThrows() throws {
        let (model, data) = try smallProblem()
        let empty = try ArrayDataset(inputs: Tensor(zeros: [0, 4]), targets: Tensor(zeros: [0]))
        #expect(message { try model.fit(empty) } == "the training data holds no examples")
        #expect(message { try model.fit(data, validation: empty) } == "the validation data holds no examples")
        #expect(message { _ = try model.evaluate(empty) } == "the given data holds no examples")
        #expect(try model.predict(empty).indices.isEmpty)
    }

    @Test func fitBeforeCompileThrows() throws {
        let model = try Sequential([Dense(1)], inputShape: [4])
        let data = try ArrayDataset(inputs: Tensor(zeros: [2, 4]), targets: Tensor(zeros: [2]))
        #expect(
            message { try model.fit(data) }
                == "the model is not compiled; call compile(optimizer:loss:metrics:) first")
    }

    @Test func aSecondFitAtTheSameTimeThrows() throws {
        let (model, data) = try smallProblem()
        var inner = ""
        let nested = EventHandler { event in
            if case .epoch = event { inner = message { try model.fit(data, options: temporary) } }
        }
        try model.fit(data, callbacks: [nested], options: temporary)
        #expect(inner == "the model trains already; wait until the other `fit` is done")
    }

    @Test func twoMetricsOfOneNameThrow() throws {
        let (model, _) = try smallProblem()
        #expect(
            message { try model.compile(optimizer: SGD(), loss: .meanSquaredError, metrics: [.accuracy, .accuracy]) }
                == "several figures are called accuracy; give each metric a name of its own")
    }

    @Test func otherClassesThanTheModelsThrow() throws {
        let (model, data) = try smallProblem()
        model.metadata.classNames = ["a", "b", "c"]
        let other = try ArrayDataset(inputs: data.inputs, targets: data.targets, classNames: ["a", "c", "b"])
        let expected =
            "the data has the classes a, c, b, the model a, b, c; both must be the same, in the same order"
        #expect(message { try model.fit(other) } == expected)
        #expect(message { _ = try model.evaluate(other) } == expected)
    }

    @Test func validationDataOfOtherClassesThrows() throws {
        let (model, data) = try smallProblem()
        let training = try ArrayDataset(inputs: data.inputs, targets: data.targets, classNames: ["a", "b", "c"])
        let validation = try ArrayDataset(inputs: data.inputs, targets: data.targets, classNames: ["a", "b", "d"])
        #expect(
            message { try model.fit(training, validation: validation) }
                == "the validation data has the classes a, b, d, the training data a, b, c; both must be the same, in "
                + "the same order")
    }

    @Test func anUnbuiltStackTakesItsInputFromTheData() throws {
        let model = try Sequential([Dense(3, activation: .softmax)])
        try model.compile(optimizer: SGD(), loss: .sparseCategoricalCrossentropy)
        let (_, data) = try smallProblem()
        try model.fit(data, options: temporary)
        #expect(model.inputs.map(\.shape) == [[4]])
    }

    /// Of targets that are computed the first few are looked at; folders come class by class.
    @Test func mixedExamplesMayComeClassByClass() throws {
        let model = try Sequential([Dense(3, activation: .softmax)], inputShape: [4])
        try model.compile(optimizer: SGD(), loss: .categoricalCrossentropy, metrics: [.accuracy])
        let sorted = try ArrayDataset(
            inputs: Tensor(zeros: [30, 4]), targets: Tensor((0..<30).map { Float($0 / 10) }, shape: [30]))
        let mixed = try MixedExamples(sorted, mixUp: MixUp(alpha: 0.2), outputs: 3)
        try model.fit(mixed, options: temporary)
    }

    @Test func yesOrNoTargetsOfSeveralOutputsNeedNotDiffer() throws {
        let model = try Sequential([Dense(2, activation: .sigmoid)], inputShape: [4])
        try model.compile(optimizer: SGD(), loss: .binaryCrossentropy, metrics: [.accuracy])
        let data = try ArrayDataset(
            inputs: Tensor(zeros: [4, 4]), targets: Tensor([1, 0, 1, 0, 1, 0, 1, 0], shape: [4, 2]))
        try model.fit(data, options: temporary)
        #expect(try model.evaluate(data).classes.isEmpty)
    }

    @Test func trainingTellsTheModelItsClassesAndResizeRule() throws {
        let (_, data) = try smallProblem()
        let model = try Sequential([Flatten(), Dense(3, activation: .softmax)], inputShape: [2, 2, 1])
        try model.compile(optimizer: SGD(), loss: .sparseCategoricalCrossentropy)
        let rule = ImageRule(height: 2, width: 2, channels: 1)
        let named = try ArrayDataset(
            inputs: data.inputs.map { $0.reshaped(to: [50, 2, 2, 1]) }, targets: data.targets,
            classNames: ["x", "y", "z"], inputRule: .image(rule))
        try model.fit(named, options: temporary)
        #expect(model.metadata == ModelMetadata(classNames: ["x", "y", "z"], inputRule: .image(rule)))
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was thrown"
        } catch { return (error as? GraftError)?.message ?? "\(error)" }
    }
}

final class EventCounter: Callback {
    private(set) var count = 0
    func handle(_ event: TrainingEvent, in run: TrainingRun) { count += 1 }
}
