import Foundation
import Graft
import Testing

/// A report on a small classifier of drawn leaves.
@Suite struct ModelReportTests {
    private let leaves: DrawnLeaves
    private let names = ["birch", "<b>ginkgo</b>", "maple & co", "oak", "wil\u{202E}low"]

    init() throws { leaves = try DrawnLeaves(train: 12, validation: 6) }

    private func classifier() throws -> Classifier {
        let image = Input(shape: [16, 16, 3])
        let map = try Conv2D(6, kernelSize: 3, activation: .relu, name: "last")(Rescaling(1 / 255)(image))
        let model = try Model(
            inputs: image, outputs: Dense(5, activation: .softmax)(GlobalAveragePooling2D()(map)), seed: 3)
        return try Classifier(model, classNames: names, options: DrawnLeaves.options)
    }

    private func images(_ part: String, _ classifier: Classifier) throws -> ImageDataset {
        let folder = try ImageFolder(at: leaves.folder, rule: classifier.rule)
        let own = part == "training" ? folder.training : try #require(folder.validation)
        return try ImageDataset(paths: own.paths, labels: own.labels, classNames: names, rule: classifier.rule)
    }

    private func report() throws -> ModelReport {
        let classifier = try classifier()
        var options = ModelReport.Options()
        options.audit = try ImageAudit(of: leaves.folder)
        return try ModelReport(
            of: classifier, on: images("validation", classifier), knowing: images("training", classifier),
            options: options)
    }

    @Test func figuresAreThoseOfEvaluate() throws {
        let classifier = try classifier()
        let evaluation = try classifier.evaluate(images("validation", classifier))
        let report = try report()
        #expect(report.answers.count == 30 && report.knownCount == 60 && report.suspectedCount == 90)
        #expect(abs(report.accuracy.value - (evaluation.figures["accuracy"] ?? -1)) < 1e-12)
        #expect(report.confusion == evaluation.confusion)
        #expect(report.sampleSizes?.points.map(\.count) == [6, 12, 24, 42, 60])
        #expect(
            report.places.count == 30 && report.places.allSatisfy { (0...1).contains($0.x) && (0...1).contains($0.y) })
        // As good as none was learned: what the untrained network gives is close to a fifth, and so is what it is right in.
        #expect(report.sureness.thresholds.last?.accuracy.count == 0)
    }

    @Test func thePageStandsAlone() throws {
        let report = try report()
        let page = report.html
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
        #expect(!page.contains("<b>") && page.contains("&lt;b&gt;ginkgo&lt;/b&gt;") && page.contains("maple &amp; co"))
        #expect(!page.contains("\u{202E}") && page.contains("wil"))
        for outside in ["http://", "https://", "<script", "<link"] {
            let found = page.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!found.contains(outside), "\(outside)")
        }
        #expect(page.components(separatedBy: "data:image/jpeg").count > 20)
        #expect(report.answerLines.count == 3)
        try report.writeHTML(to: leaves.path("report.html"))
        #expect(try String(contentsOfFile: leaves.path("report.html"), encoding: .utf8) == page)
    }

    @Test func aRegressionHasNoReport() throws {
        let model = try DrawnLeaves.model(outputs: 5, activation: .linear)
        let classifier = try Classifier(model, classNames: names)
        #expect(throws: GraftError.self) {
            try ModelReport(of: classifier, on: images("validation", classifier))
        }
    }

    // MARK: New images

    private func report(newImages paths: [String], limit: Int = 2000) throws -> ModelReport {
        let classifier = try classifier()
        var options = ModelReport.Options()
        options.knownLimit = limit
        options.newImages = try ImageFiles(paths: paths, rule: classifier.rule)
        return try ModelReport(of: classifier, on: images("validation", classifier), options: options)
    }

    @Test func imagesOfTheSameKindLookTheSame() throws {
        let others = try images("training", classifier()).paths
        let report = try report(newImages: others)
        let drift = try #require(report.drift)
        #expect(!drift.isFound && drift.changes.isEmpty && drift.counts == (30, 60))
        #expect(drift.measures.map(\.probability) == drift.measures.map(\.probability).sorted())
        #expect(Set(drift.measures.map(\.name)).isSuperset(of: ["brightness", "confidence", "component_1", "probe"]))
        #expect(abs(drift.predictedShares.reduce(0) { $0 + $1.new } - 1) < 1e-9)
        #expect(report.answerLines.count == 4 && report.html.contains("look like those that this rests on"))
    }

    @Test func darkerImagesAreFoundWithoutLabels() throws {
        let dark = try images("training", classifier()).paths.prefix(24).enumerated().map { number, path in
            var image = try ImageDecoder(channels: 3).decode(contentsOf: path)
            image = DecodedImage(
                height: image.height, width: image.width, channels: 3, pixels: image.pixels.map { $0 / 2 })
            let name = leaves.path("dark-\(number).jpg")
            try Data(JPEGWriter.bytes(of: image, quality: 95)).write(to: URL(filePath: name))
            return name
        }
        let drift = try #require(try report(newImages: dark + [leaves.path("missing.jpg")]).drift)
        let change = try #require(drift.changes.first { $0.name == "brightness" })
        #expect(change.areaUnderCurve < 0.1 && change.medians.new < change.medians.old)
        #expect(drift.failures.count == 1 && drift.counts.new == 24)
        let page = try report(newImages: dark).html
        #expect(page.contains("need not hold for them") && page.contains("What has changed"))
    }

    @Test func ofManyNewImagesSomeAreLookedAt() throws {
        let others = try images("training", classifier()).paths
        #expect(try report(newImages: others, limit: 25).drift?.counts ?? (0, 0) == (25, 25))
    }

    @Test func fewNewImagesTellNothing() throws {
        let few = Array(try images("training", classifier()).paths.prefix(19))
        let error = #expect(throws: GraftError.self) { try report(newImages: few) }
        #expect(error?.message.contains("new images that can be read: 19") == true)
    }

    // MARK: How sure it is

    @Test func aSavedModelRemembersWhatItWasTrainedOn() throws {
        let classifier = try classifier()
        let known = try images("training", classifier)
        let calibration = try #require(try classifier.calibrate(on: images("validation", classifier), training: known))
        try classifier.save(leaves.path("sure.keras"))
        let loaded = try Classifier(contentsOf: leaves.path("sure.keras"), options: DrawnLeaves.options)
        // Numbers are written whole.
        #expect(loaded.calibration == calibration)
        let answers = try loaded.classify(contentsOf: known.paths).map { try $0.get() }
        #expect(answers.allSatisfy { $0.assessment != nil })
        #expect(answers.count { $0.assessment?.isKnown == true } >= 55)
        // Red noise looks like no leaf.
        let noise = (0..<(32 * 32)).flatMap { place in [UInt8(255), UInt8(place * 7919 % 256), UInt8(0)] }
        let image = DecodedImage(height: 32, width: 32, channels: 3, pixels: noise)
        let strange = try loaded.classify(JPEGWriter.bytes(of: image, quality: 95))
        #expect(strange.assessment?.isKnown == false && strange.assessment?.isSure == false)
        #expect((strange.assessment?.distance ?? 0) > calibration.farthest)
        // One by one as together, and the outputs are the model's own.
        let single = try loaded.classify(contentsOf: known.paths[0])
        #expect(zip(single.outputs, answers[0].outputs).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(loaded.classes(of: single, coverage: 0.5)?.isEmpty == false)
        #expect(loaded.classes(of: single, coverage: 0.99)?.count == 5)
    }

    @Test func keptFeaturesSayTheSame() throws {
        // A frozen base under a head that trains: the rest runs on features that are kept.
        let classifier = try classifier()
        let (validation, training) = (try images("validation", classifier), try images("training", classifier))
        let whole = try classifier.calibrate(on: validation, training: training)
        try classifier.model.layer(named: "last").trainable = false
        let kept = try classifier.calibrate(on: validation, training: training)
        let (one, other) = (try #require(whole), try #require(kept))
        #expect(abs(one.temperature.value - other.temperature.value) < 1e-3 * one.temperature.value)
        #expect(abs(one.farthest - other.farthest) < 1e-2 * one.farthest)
    }

    @Test(
        arguments: [
            ["temperature": .double(-1)], ["scores": ["a"]], ["sure_from": nil], ["distance": ["width": 3]],
            [
                "distance": [
                    "width": 1, "farthest": 1, "shift": "AAAA", "scale": "", "means": "", "directions": "",
                    "weights": "",
                ]
            ],
        ] as [[String: Configuration]])
    func aCraftedCalibrationIsRefused(members: [String: Configuration]) throws {
        let classifier = try classifier()
        let whole: [String: Configuration] = ["temperature": 1.5, "sure_from": 0.9, "scores": [0.5]]
        classifier.model.metadata.storedCalibration = .object(whole)
        #expect(try Classifier(classifier.model).calibration?.sureFrom == 0.9)
        classifier.model.metadata.storedCalibration = .object(whole.merging(members) { _, new in new })
        let error = #expect(throws: GraftError.self) { try Classifier(classifier.model) }
        #expect(error?.message.contains("graft report --keep") == true)
    }
}
