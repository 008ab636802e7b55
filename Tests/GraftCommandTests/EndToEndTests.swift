import Foundation
import Graft
import Testing

/// The whole job with the built command: train, evaluate, predict, features, summary.
@Suite(.serialized) struct EndToEndTests {
    private let classifier: SavedClassifier

    init() throws { classifier = try SavedClassifier.shared.get() }

    private func run(_ arguments: String...) throws -> GraftTool.Outcome { try classifier.tool.run(arguments) }

    // MARK: Training

    @Test func trainingTellsEveryEpochAndItsEnd() throws {
        let training = classifier.training
        try #require(training.status == 0, "\(training.errors)")
        let events = try training.lines.map { try #require(JSONLine($0), "\($0)") }
        #expect(events.map { $0.string("event") } == ["precision", "epoch", "epoch", "done"])
        let lines = Array(events.dropFirst())
        for (number, line) in lines.dropLast().enumerated() {
            #expect(
                line.names == ["event", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"])
            #expect(line.number("epoch") == Double(number + 1))
            #expect(line.number("loss").map { $0 > 0 && $0 < 10 } == true)
        }
        let done = try #require(lines.last)
        #expect(
            done.names == [
                "event", "model", "val_accuracy", "seconds", "trunk_seconds", "images", "left_out", "course",
                "best_epoch", "advice",
            ])
        #expect(done.string("model") == "model.keras")
        #expect(done.number("images") == 12)
        #expect(done.number("val_accuracy") == lines[1].number("val_accuracy"))
        #expect(done.strings("left_out") == ["photos/blue/text.jpg"])
        #expect(classifier.folder.exists("model.keras"))
    }

    @Test func theLibraryTrainsTheSameModel() throws {
        var recipe = TrainingRecipe(base: .inceptionV3, head: [.averagePool])
        (recipe.weights, recipe.inputSize, recipe.cut) = (.none, 75, "mixed0")
        (recipe.batchSize, recipe.learningRate, recipe.epochs) = (4, 0.01, 2)
        let folder = classifier.folder.url.appending(path: "photos").path
        let own = try Classifier.train(
            on: folder, recipe, options: TrainingOptions(features: .temporary, threads: 2, precision: .automatic))
        let path = classifier.folder.url.appending(path: "model.keras").path
        let written = try Classifier(contentsOf: path, options: own.options)
        #expect(own.classNames == written.classNames && own.rule == written.rule)
        let bits = [own, written].map { $0.model.weights.map { $0.scalars.map(\.bitPattern) } }
        #expect(bits[0] == bits[1])
        let image = folder + "/red/1.bmp"
        let answer = try written.classify(contentsOf: image)
        #expect(try own.classify(contentsOf: image) == answer)
        // The command says the same of it, rounded for people.
        let told = try run("predict", "model.keras", "photos/red/1.bmp", "--json")
        let probabilities = JSONLine(told.output)?.object["probabilities"] as? [String: Double]
        let float32 = try Classifier(contentsOf: path, options: TrainingOptions(threads: 2)).classify(contentsOf: image)
        // Foundation's reader of JSON may be off by a unit in the last place of 64 bits.
        #expect(probabilities?["red"].map { Float($0) } == float32["red"].map { Float($0) })
    }

    @Test func aFileThatIsNoPictureIsListedOnceAndTheRunGoesOn() {
        let lines = classifier.training.errors.split(separator: "\n")
        #expect(lines.contains("1 left out, as they cannot be read:"))
        #expect(lines.count { $0.contains("photos/blue/text.jpg") } == 1)
    }

    @Test func theNextRunFindsTheFeatures() throws {
        let again = try classifier.tool.run(
            ["train", "photos", "--epochs", "1", "--output", "again.keras"] + SavedClassifier.network)
        #expect(again.status == 0)
        #expect(again.lines.contains("features of 12 images found from an earlier run"))
        #expect(!again.output.contains("computed in"))
        #expect(again.output.contains("\nwrote again.keras after 1 epoch, "))
        // Each model has a history of its own.
        let epochs = try ["model", "again"].map {
            try classifier.folder.contents(of: "\($0).history.csv").split(separator: "\n").count - 1
        }
        #expect(epochs == [2, 1])
    }

    @Test func partsOfTheirOwnAreUsedAndTheTestPartMeasured() throws {
        for (part, count) in [("train", 3), ("validation", 2), ("test", 1)] {
            try classifier.folder.drawPictures(["a": count, "b": count, "c": count], below: "parts/\(part)")
        }
        let outcome = try classifier.tool.run(
            ["train", "parts", "--epochs", "1", "--output", "three.keras", "--json", "--cache", "none"]
                + SavedClassifier.network)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let done = try #require(outcome.lines.last.flatMap(JSONLine.init))
        #expect(
            done.names == [
                "event", "model", "val_accuracy", "seconds", "trunk_seconds", "images", "test_loss", "test_accuracy",
                "left_out", "course", "best_epoch", "advice",
            ])
        #expect(
            outcome.errors.contains("9 training images: 3 a, 3 b, 3 c\n6 validation images from their own folder\n"))
        #expect(outcome.errors.contains("3 test images, evaluated at the end\n"))
        let prediction = try run("predict", "three.keras", "parts/test/b/0.bmp", "--json")
        let probabilities = JSONLine(prediction.output)?.object["probabilities"] as? [String: Double]
        #expect(probabilities.map { $0.keys.sorted() } == ["a", "b", "c"])
        #expect(abs((probabilities?.values.reduce(0, +) ?? 0) - 1) < 1e-5)
        let evaluation = try run("evaluate", "three.keras", "parts")
        #expect(evaluation.lines.first == "parts has a test part: evaluating that")
    }

    @Test func tooFewPicturesToSetAnyAsideAreTrainedOnAllTheSame() throws {
        try classifier.folder.drawPictures(["a": 1, "b": 1], below: "two")
        let outcome = try classifier.tool.run(
            ["train", "two", "--epochs", "1", "--output", "two.keras", "--json"] + SavedClassifier.network)
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("graft: warning: there are no validation images: add pictures, or raise "))
        let done = try #require(outcome.lines.last.flatMap(JSONLine.init))
        #expect(done.object["val_accuracy"] is NSNull)
    }

    @Test func anotherPreprocessingIsSaid() throws {
        let outcome = try classifier.tool.run(
            ["train", "photos", "--epochs", "1", "--output", "unit.keras", "--preprocessing", "unit"]
                + SavedClassifier.network)
        #expect(outcome.status == 0)
        #expect(outcome.lines.contains("InceptionV3 cut at mixed0, on pixels as x / 255"))
        #expect(outcome.output.contains("found from an earlier run") == false)
    }

    @Test func anInterruptedRunKeepsItsLastCompleteEpoch() throws {
        var isInterrupted = false
        let outcome = try classifier.tool.run(
            ["train", "photos", "--epochs", "1000000", "--output", "interrupted.keras"] + SavedClassifier.network
        ) { process, output in
            guard !isInterrupted, output.contains("epoch 2/") else { return }
            isInterrupted = true
            process.interrupt()
        }
        #expect(outcome.status == 130)
        #expect(outcome.lines.contains { $0.hasPrefix("wrote interrupted.keras after ") })
        let prediction = try run("predict", "interrupted.keras", "photos/red/0.bmp")
        #expect(prediction.status == 0)
    }

    // MARK: The model

    @Test func evaluationSaysLossAccuracyAndClasses() throws {
        let outcome = try run("evaluate", "model.keras", "photos", "--json")
        #expect(outcome.status == 0)
        let line = try #require(JSONLine(outcome.output))
        #expect(line.names == ["event", "loss", "accuracy", "classes", "images", "left_out"])
        #expect(line.string("event") == "evaluation")
        #expect(line.number("images") == 12)
        let classes = try #require(line.object["classes"] as? [String: [String: Any]])
        #expect(classes.keys.sorted() == ["blue", "red"])
        #expect(classes["red"]?["count"] as? Int == 6)
        for figures in classes.values {
            let mistakes = (figures["taken_for"] as? [String: Int] ?? [:]).values.reduce(0, +)
            let recall = figures["recall"] as? Double ?? .nan
            #expect(abs(Double(6 - mistakes) / 6 - recall) < 1e-9)
        }
        let right = classes.values.compactMap { figures in
            (figures["recall"] as? Double).map { $0 * Double(figures["count"] as? Int ?? 0) }
        }
        // The recalls, weighted, are the accuracy; both are rounded to double precision.
        let accuracy = try #require(line.number("accuracy"))
        let mean: Double = right.reduce(0, +) / 12
        #expect(abs(mean - accuracy) < 1e-6)
    }

    @Test func predictionGoesOnAfterAPictureThatCannotBeRead() throws {
        let outcome = try run(
            "predict", "model.keras", "photos/red/0.bmp", "nowhere.jpg", "photos/blue/text.jpg", "photos/blue/1.bmp",
            "--json")
        #expect(outcome.status == 1)
        let lines = try outcome.lines.map { try #require(JSONLine($0), "\($0)") }
        #expect(lines.map { $0.string("event") } == ["prediction", "error", "error", "prediction"])
        #expect(
            lines.map { $0.string("path") } == [
                "photos/red/0.bmp", "nowhere.jpg", "photos/blue/text.jpg", "photos/blue/1.bmp",
            ])
        #expect(lines[0].names == ["event", "path", "class", "probabilities"])
        #expect(lines[1].names == ["event", "path", "message"])
        let probabilities = try #require(lines[0].object["probabilities"] as? [String: Double])
        #expect(probabilities.keys.sorted() == ["blue", "red"])
        #expect(abs(probabilities.values.reduce(0, +) - 1) < 1e-6)
        #expect(lines[0].string("class") == probabilities.max { $0.value < $1.value }?.key)
    }

    @Test func topCutsTheListOfClasses() throws {
        let outcome = try run("predict", "model.keras", "photos/red/0.bmp", "--top", "1")
        #expect(outcome.status == 0)
        #expect(outcome.lines.count == 1)
        #expect(outcome.output.wholeMatch(of: /photos\/red\/0\.bmp: (red|blue) [0-9.]+ %\n/) != nil)
    }

    @Test func featuresAreAnArrayAndTheListOfItsRows() throws {
        let outcome = try run("features", "model.keras", "photos", "--cut", "mixed0", "--output", "features.npy")
        #expect(outcome.status == 0)
        #expect(outcome.lines.last?.hasPrefix("wrote features.npy: 12 rows of (7, 7, 256)") == true)
        let array = try NumpyFile.tensor(contentsOf: classifier.folder.url.appending(path: "features.npy").path)
        #expect(array.shape == [12, 7, 7, 256])
        let names = ["blue", "red"].flatMap { name in (0..<6).map { "photos/\(name)/\($0).bmp" } }
        #expect(try classifier.folder.contents(of: "features.txt") == names.joined(separator: "\n") + "\n")
    }

    @Test func theSummaryCountsWhatIsFrozen() throws {
        let outcome = try run("summary", "model.keras", "--json")
        #expect(outcome.status == 0)
        let lines = try outcome.lines.map { try #require(JSONLine($0), "\($0)") }
        let last = try #require(lines.last)
        #expect(last.string("event") == "summary")
        // The head is one weight for each of the 256 channels of mixed0, and one bias.
        #expect(last.number("trainable_parameters") == 257)
        #expect(
            lines[0].names == ["event", "name", "type", "output_shape", "parameters", "connected_to", "trainable"])
        let counted = lines.dropLast().reduce(0) { $0 + ($1.number("parameters") ?? 0) }
        #expect(counted == last.number("parameters"))
    }

    @Test func aBaseIsSummedUpWithoutItsWeights() throws {
        let outcome = try run("summary", "inception-v3", "--input-size", "150", "--cut", "mixed7")
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output.contains("mixed7"))
        #expect(outcome.output.contains("8,975,264"))
        #expect(!outcome.output.contains("mixed8"))
    }

    @Test func basesAreListedWithWhereTheirWeightsAre() throws {
        let outcome = try run("bases", "--json")
        let lines = try outcome.lines.map { try #require(JSONLine($0), "\($0)") }
        #expect(lines.map { $0.string("name") } == Base.all.map(\.id))
        #expect(lines.allSatisfy { $0.string("event") == "base" })
        #expect(lines.allSatisfy { $0.string("license_source")?.isEmpty == false })
        let inception = try #require(lines.first { $0.string("name") == "inception-v3" })
        #expect(inception.number("top_1") == 77.9)
        #expect(inception.string("license") == "Apache 2.0")
    }

    @Test func usuallyOneBaseOfEachFamilyIsListed() throws {
        let usual = try run("bases").output.split(separator: "\n").map { $0.prefix { $0 != " " } }
        let families = Dictionary(grouping: Base.all, by: \.family).values
        #expect(families.allSatisfy { family in family.contains { usual.contains($0.id[...]) } })
        #expect(usual.contains("pocket") && usual.contains("resnet50"))
        // Nothing is on the machine of this test's cache.
        #expect(!usual.contains("resnet152"))
        let every = try run("bases", "--all").output.split(separator: "\n")
        #expect(every.dropFirst().map { String($0.prefix { $0 != " " }) } == Base.all.map(\.id))
        let complete = every.dropFirst().allSatisfy { line in line.hasSuffix(")") && !line.hasSuffix("()") }
        #expect(complete)
        let unclear = try #require(every.first { $0.hasPrefix("resnet50-v2") })
        #expect(unclear.hasSuffix("unclear (keras-team/keras#13362)"))
    }

    @Test func aBaseIsDescribedByItsName() throws {
        let lines = try run("bases", "VGG19").output.split(separator: "\n")
        #expect(lines.first == "vgg19  VGG19")
        #expect(lines.contains("  top-1       71.3 % (keras.io/api/applications)"))
        #expect(lines.contains("  cuts        block3_pool, block4_pool, block5_pool (usual: block5_pool)"))
        let unknown = try run("bases", "vgg17")
        #expect(unknown.status == 64)
        #expect(unknown.errors.contains("the nearest are vgg16, vgg19"))
    }
}
