import Dispatch
import Foundation
import Graft
import Synchronization
import Testing

@Suite struct ClassifierTests {
    private let leaves: DrawnLeaves
    private let names = ["birch", "ginkgo", "maple", "oak", "willow"]

    init() throws { leaves = try DrawnLeaves() }

    /// A classifier that went through a file.
    private func saved(_ options: TrainingOptions = TrainingOptions(threads: 1)) throws -> Classifier {
        let model = try DrawnLeaves.model(outputs: 5, activation: .softmax)
        try Classifier(model, classNames: names).save(leaves.path("leaves.keras"))
        return try Classifier(contentsOf: leaves.path("leaves.keras"), options: options)
    }

    // MARK: Answers

    @Test func aFileIsAllThatItTakes() throws {
        let classifier = try saved()
        #expect(classifier.classNames == names && classifier.rule == ImageRule(height: 8, width: 8))
        let path = try #require(try leaves.images.first)
        let answer = try classifier.classify(contentsOf: path)
        #expect(answer.name == path && answer.classes.count == 5)
        #expect(answer.classes.map(\.value) == answer.outputs.sorted(by: >))
        #expect(answer.best == answer.classes.first && abs(answer.outputs.reduce(0, +) - 1) < 1e-6)
        for (name, value) in zip(names, answer.outputs) { #expect(answer[name] == value) }
        #expect(answer["elm"] == nil)
        // The model's own numbers.
        let files = try ImageFiles(paths: [path], rule: classifier.rule)
        let outputs = try classifier.model.predict(files, options: classifier.options).outputs
        #expect(outputs[0].scalars.map(Double.init) == answer.outputs)
    }

    @Test func bytesGiveWhatTheirFileGives() throws {
        let classifier = try saved()
        let paths = try leaves.images
        let files = try classifier.classify(contentsOf: paths).map { try $0.get() }
        let bytes = try classifier.classify(paths.map { try leaves.bytes(of: $0) }).map { try $0.get() }
        #expect(files.count == 10 && files.map(\.outputs) == bytes.map(\.outputs))
        #expect(files.map(\.name) == paths && bytes.map(\.name) == (0..<10).map { "image \($0)" })
        // Images differ, and so do their answers.
        #expect(Set(files.map(\.outputs)).count == 10)
        #expect(try classifier.classify(leaves.bytes(of: paths[3])).outputs.count == 5)
    }

    @Test func manyThreadsAskAtOnce() throws {
        let classifier = try saved()
        let images = try leaves.images.map { try leaves.bytes(of: $0) }
        let alone = try images.map { try classifier.classify($0) }
        let together = Mutex<[Int: Classification]>([:])
        let fresh = try saved()
        DispatchQueue.concurrentPerform(iterations: 40) { number in
            let answer = try? fresh.classify(images[number % images.count])
            together.withLock { $0[number] = answer }
        }
        let answers = together.withLock { $0 }
        #expect(answers.count == 40)
        for (number, answer) in answers { #expect(answer == alone[number % images.count]) }
    }

    @Test func whatCannotBeReadIsAFailureAmongTheOthers() throws {
        let classifier = try saved()
        let good = try leaves.images[0]
        let missing = leaves.path("missing.png")
        let results = try classifier.classify(contentsOf: [missing, good, missing])
        #expect(results.map { (try? $0.get())?.name } == [nil, good, nil])
        guard case .failure(let failure) = results[2] else { throw GraftError(.data, "a missing file has no answer") }
        #expect(failure.index == 2 && failure.path == missing && failure.message.contains("No such file"))
        let whole = try leaves.bytes(of: good)
        let bytes = try classifier.classify([Array("<html>".utf8), whole, Array(whole.dropLast(100)), []])
        #expect(bytes.map { (try? $0.get())?.name } == [nil, "image 1", nil, nil])
        let error = #expect(throws: GraftError.self) { try classifier.classify(Array("<html>".utf8)) }
        #expect(error?.code == .image && error?.message.hasPrefix("the image: it begins with the text") == true)
        #expect(throws: GraftError.self) { try classifier.classify(contentsOf: missing) }
        #expect(try classifier.classify([[UInt8]]()).isEmpty && classifier.classify(contentsOf: [String]()).isEmpty)
    }

    @Test func aRaisedFlagStopsIt() throws {
        let flag = CancellationFlag()
        let classifier = try saved(TrainingOptions(threads: 1, cancellation: flag))
        flag.cancel()
        let error = #expect(throws: GraftError.self) { try classifier.classify(contentsOf: leaves.images) }
        #expect(error?.code == .cancelled)
    }

    @Test func itIsMeasuredOnLabelledImages() throws {
        let classifier = try saved()
        let images = try ImageFolder(at: leaves.folder, rule: classifier.rule, classNames: classifier.classNames)
        let validation = try #require(images.validation)
        let evaluation = try classifier.evaluate(validation)
        let answers = try classifier.classify(contentsOf: validation.paths).map { try $0.get().best?.name }
        let right = zip(answers, validation.labels).count { $0 == names[$1] }
        #expect(evaluation.figures["accuracy"] == Double(right) / 10 && evaluation.exampleCount == 10)
    }

    // MARK: Outputs

    @Test func oneOutputIsTheSecondOfTwoClasses() throws {
        let model = try DrawnLeaves.model(outputs: 1, activation: .sigmoid)
        let classifier = try Classifier(model, classNames: ["cat", "dog"])
        let answer = try classifier.classify(contentsOf: leaves.images[0])
        #expect(answer["dog"] == answer.outputs[0] && answer["cat"] == 1 - answer.outputs[0])
        #expect(answer.best?.value ?? 0 >= 0.5)
    }

    @Test func logitsAreScoresUntilAnActivationIsAskedFor() throws {
        let scores = try Classifier(DrawnLeaves.model(outputs: 5, activation: .linear), classNames: names)
        #expect(scores.outputs.meaning == .scores(layer: "classes") && !scores.outputs.areProbabilities)
        let error = #expect(throws: GraftError.self) { try scores.evaluate(ImageBytes([], rule: scores.rule)) }
        #expect(error?.message.contains("gives no probabilities of classes") == true)
        let softmax = try Classifier(
            DrawnLeaves.model(outputs: 5, activation: .linear), classNames: names, outputActivation: .softmax)
        #expect(softmax.outputs.meaning == .activated(.softmax, .asked))
        let (logits, answer) = try (
            scores.classify(contentsOf: leaves.images[0]), softmax.classify(contentsOf: leaves.images[0])
        )
        let sum = logits.outputs.reduce(0) { $0 + exp($1) }
        // Two ways to the same float32 softmax.
        for (logit, value) in zip(logits.outputs, answer.outputs) { #expect(abs(exp(logit) / sum - value) < 1e-6) }
        let trained = try DrawnLeaves.model(outputs: 5, activation: .linear)
        trained.metadata.outputActivation = .softmax
        #expect(try Classifier(trained).outputs.meaning == .activated(.softmax, .trainedOnLogits))
    }

    @Test func outputsWithoutClassesAreFeatures() throws {
        let features = try Classifier(DrawnLeaves.model(outputs: 3, activation: .relu))
        #expect(features.outputs.meaning == .features && features.classNames.isEmpty)
        let answer = try features.classify(contentsOf: leaves.images[0])
        #expect(answer.outputs.count == 3 && answer.classes.isEmpty && answer.best == nil)
    }

    @Test func classesWithoutNamesHaveNumbers() throws {
        let classifier = try Classifier(DrawnLeaves.model(outputs: 3, activation: .softmax))
        #expect(classifier.classNames == ["class 0", "class 1", "class 2"] && !classifier.outputs.isNamed)
    }

    // MARK: Refusals

    @Test func whatDoesNotFitIsRefused() throws {
        let model = try DrawnLeaves.model(outputs: 3, activation: .softmax)
        func message(_ make: () throws -> Classifier) -> String? {
            #expect(throws: GraftError.self) { _ = try make() }?.message
        }
        #expect(
            message { try Classifier(model, named: "m", classNames: ["a", "b"]) }
                == "m has 3 outputs and so 3 classes; it was given 2 names, a, b")
        #expect(
            message { try Classifier(model, named: "m", outputActivation: .softmax) }
                == "outputActivation: m ends in a softmax or sigmoid of its own; leave it out")
        let vector = Input(shape: [4])
        let table = try Model(inputs: vector, outputs: Dense(2, activation: .softmax)(vector))
        #expect(message { try Classifier(table, named: "t") }?.hasPrefix("t: the model does not take images") == true)
        let two = try Model(inputs: model.inputs, outputs: [model.output, model.output])
        #expect(message { try Classifier(two, named: "m") }?.contains("has 2 outputs") == true)
        _ = try saved()
        #expect(
            message { try Classifier(contentsOf: leaves.path("leaves.keras"), inputSize: 9) }?
                .contains("takes (None, 8, 8, 3) and nothing else; the argument is for models") == true)
        #expect(message { try Classifier(contentsOf: leaves.path("no.keras")) }?.contains("no such file") == true)
    }
}
