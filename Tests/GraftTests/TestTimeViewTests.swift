import Foundation
import Graft
import Testing

@Suite struct TestTimeViewTests {
    private let leaves: DrawnLeaves
    private let classifier: Classifier
    private let images: ImageDataset
    private let views: TestTimeViews

    init() throws {
        leaves = try DrawnLeaves()
        classifier = try Classifier(
            DrawnLeaves.model(outputs: 5, activation: .softmax),
            classNames: ["birch", "ginkgo", "maple", "oak", "willow"])
        images = try ImageFolder(
            at: leaves.folder, rule: classifier.rule, classNames: classifier.classNames
        ).training
        views = TestTimeViews(try Augmentation("flip,rotate:90"), count: 3, seed: 5)
    }

    /// The outputs for the image and each view, from the model itself.
    private func outputs() throws -> [[[Float]]] {
        func rows(_ tensor: Tensor) -> [[Float]] {
            (0..<tensor.shape[0]).map { row in (0..<5).map { tensor[row * 5 + $0] } }
        }
        let drawn = try AugmentedImages(images, views.augmentation, views: 3, seed: 5)
        let plain = rows(try classifier.model.predict(images.batch(Array(0..<images.count)).inputs[0]))
        let others = try (0..<3).map { view in
            rows(
                try classifier.model.predict(
                    drawn.batch((0..<images.count).map { view * images.count + $0 }).inputs[0]))
        }
        return plain.indices.map { image in [plain[image]] + others.map { $0[image] } }
    }

    private func mean(_ rows: [[Float]]) -> [Double] {
        (0..<5).map { place in rows.reduce(0.0) { $0 + Double($1[place]) } / Double(rows.count) }
    }

    @Test func anAnswerIsTheMeanOverTheImageAndItsViews() throws {
        let expected = try outputs().map(mean)
        var answers: [Classification] = []
        try classifier.forEachClassification(contentsOf: images.paths, views: views) { answers.append(try $0.get()) }
        #expect(answers.map(\.name) == images.paths)
        for (answer, expected) in zip(answers, expected) {
            // Batches of other sizes take other paths through the product: some last bits.
            #expect(zip(answer.outputs, expected).allSatisfy { abs($0 - $1) < 1e-5 })
        }
        // More than a batch of 32 rows, so that images lie across batches.
        #expect(images.count * 4 > 64)
    }

    @Test func anEvaluationSaysWhatViewsTurnedRightAndWrong() throws {
        let outputs = try outputs()
        func right(_ row: [Double], _ label: Int) -> Bool { row.indices.max { row[$0] < row[$1] } == label }
        let before = zip(outputs, images.labels).map { right(mean([$0[0]]), $1) }
        let after = zip(outputs, images.labels).map { right(mean($0), $1) }
        let result = try classifier.evaluate(images, views: views)
        #expect(result.turnedRight == zip(before, after).count { !$0 && $1 })
        #expect(result.turnedWrong == zip(before, after).count { $0 && !$1 })
        // Random weights change their mind with the view.
        #expect(result.turnedRight + result.turnedWrong > 0)
        let count = Double(images.count)
        #expect(result.figures["accuracy"] == Double(after.count { $0 }) / count)
        #expect(result.plainFigures["accuracy"] == Double(before.count { $0 }) / count)
        let plain = try classifier.evaluate(images).figures
        #expect(abs((plain["loss"] ?? 0) - (result.plainFigures["loss"] ?? 1)) < 1e-4)
        #expect(result.classes.map(\.name) == classifier.classNames && result.exampleCount == images.count)
        #expect(result.classes.map(\.count).reduce(0, +) == images.count)
    }

    @Test func anImageThatCannotBeReadIsToldOnceInItsPlace() throws {
        let broken = leaves.path("broken.png")
        try Data([1, 2, 3]).write(to: URL(filePath: broken))
        let paths = [images.paths[0], broken, images.paths[1]]
        var told: [String] = []
        try classifier.forEachClassification(contentsOf: paths, views: views) { result in
            switch result {
            case .success(let answer): told.append(answer.name)
            case .failure(let failure): told.append("! \(failure.path)")
            }
        }
        #expect(told == [paths[0], "! \(broken)", paths[2]])
        let alone = try ImageDataset(
            paths: [broken], labels: [0], classNames: classifier.classNames, rule: classifier.rule)
        #expect(throws: GraftError.self) { try classifier.evaluate(alone, views: views) }
    }

    @Test func noViewsAreAMistake() throws {
        var none = views
        none.count = 0
        let error = #expect(throws: GraftError.self) { try classifier.evaluate(images, views: none) }
        #expect(error?.message == "views: the mean needs 1 to 10000 of them beside the image, not 0")
    }
}
