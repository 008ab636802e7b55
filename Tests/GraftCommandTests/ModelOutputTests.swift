import Foundation
import Testing

/// Models that Keras wrote and whose outputs are no probabilities of named classes; what Keras makes of the same images,
/// by `Tests/Keras/outputs.py`.
@Suite struct ModelOutputTests {
    private struct Expected: Decodable {
        let values: [String: [Double]]
        let loss: Double?
        let accuracy: Double?
    }

    private let folder: TemporaryFolder
    private let tool: GraftTool
    private let fixture: URL

    init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
        fixture = try #require(Bundle.module.url(forResource: "outputs", withExtension: nil, subdirectory: "Fixtures"))
        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.path) {
            try FileManager.default.copyItem(
                at: fixture.appending(path: name), to: folder.url.appending(path: name))
        }
    }

    private func expected(_ model: String) throws -> Expected {
        struct Fixture: Decodable {
            let models: [String: Expected]
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Name.self)
                var models: [String: Expected] = [:]
                for key in container.allKeys where key.stringValue != "versions" {
                    models[key.stringValue] = try container.decode(Expected.self, forKey: key)
                }
                self.models = models
            }
            struct Name: CodingKey {
                let stringValue: String
                var intValue: Int? { nil }
                init?(stringValue: String) { self.stringValue = stringValue }
                init?(intValue: Int) { nil }
            }
        }
        let data = try Data(contentsOf: fixture.appending(path: "expected.json"))
        return try #require(try JSONDecoder().decode(Fixture.self, from: data).models[model])
    }

    private func run(_ arguments: String...) throws -> GraftTool.Outcome { try tool.run(arguments) }

    /// The values under a member of each prediction, in the order of the classes, against Keras's.
    private func expectPredictions(
        _ outcome: GraftTool.Outcome, _ member: String, of model: String, classes: [String]
    ) throws {
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.lines.map { try #require(JSONLine($0)) }
        let expected = try expected(model)
        #expect(lines.count == expected.values.count)
        for line in lines {
            let values = try #require(line.object[member] as? [String: Double], "\(line.object)")
            let path = try #require(line.string("path"))
            let row = try #require(expected.values[path])
            // Two programs' float32: sums of 48 products.
            for (name, value) in zip(classes, row) { #expect(abs((values[name] ?? .nan) - value) < 1e-5) }
            let best = try #require(zip(classes, row).max { $0.1 < $1.1 }?.0)
            #expect(line.string("class") == best)
        }
    }

    // MARK: Logits

    @Test func logitsOfTheFilesConfigurationBecomeProbabilities() throws {
        let softmax = try run("predict", "softmax-logits.keras", "images", "--classes", "cats,dogs", "--json")
        try expectPredictions(softmax, "probabilities", of: "softmax-logits.keras", classes: ["cats", "dogs"])
        #expect(
            softmax.errors.contains(
                "graft: warning: softmax-logits.keras: softmax makes probabilities of the outputs: the model was trained on "
                    + "logits (from_logits in its compile configuration)\n"))
        let sigmoid = try run("predict", "sigmoid-logits.keras", "images", "--classes", "cats,dogs", "--json")
        try expectPredictions(sigmoid, "probabilities", of: "sigmoid-logits.keras", classes: ["cats", "dogs"])
    }

    @Test(arguments: ["softmax-logits.keras", "sigmoid-logits.keras"])
    func evaluationOfLogitsGivesKerassLoss(_ model: String) throws {
        let outcome = try run("evaluate", model, "images", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let line = try #require(outcome.lines.compactMap(JSONLine.init).last)
        let expected = try expected(model)
        let (loss, accuracy) = (try #require(expected.loss), try #require(expected.accuracy))
        #expect(abs((line.number("loss") ?? .nan) - loss) < 1e-5 * loss)
        #expect(abs((line.number("accuracy") ?? .nan) - accuracy) < 1e-6)
    }

    @Test func outputsThatMayBeLogitsAreShownAsScores() throws {
        let outcome = try run("predict", "uncompiled-logits.keras", "images", "--classes", "cats,dogs", "--json")
        try expectPredictions(outcome, "scores", of: "uncompiled-logits.keras", classes: ["cats", "dogs"])
        #expect(
            outcome.errors.contains(
                "graft: warning: uncompiled-logits.keras ends in dense_2 without softmax or sigmoid, so its outputs are scores "
                    + "and no probabilities; where it was trained with from_logits=True, --output-activation softmax, or "
                    + "sigmoid, makes them so\n"))
        let text = try run("predict", "uncompiled-logits.keras", "images/cats/0.png", "--classes", "cats,dogs")
        #expect(text.output == "images/cats/0.png: scores cats 6.8725, dogs -1.1813\n")
    }

    @Test func theOptionMakesProbabilitiesOfThem() throws {
        let outcome = try run(
            "predict", "uncompiled-logits.keras", "images", "--classes", "cats,dogs", "--output-activation", "softmax",
            "--json")
        // The same numbers as the compiled model.
        try expectPredictions(outcome, "probabilities", of: "softmax-logits.keras", classes: ["cats", "dogs"])
        let evaluation = try run(
            "evaluate", "uncompiled-logits.keras", "images", "--output-activation", "softmax", "--json")
        let loss = try #require(evaluation.lines.compactMap(JSONLine.init).last?.number("loss"))
        let expectedLoss = try #require(try expected("softmax-logits.keras").loss)
        #expect(abs(loss - expectedLoss) < 1e-5 * expectedLoss)
    }

    @Test func scoresAreNotComparedWithLabels() throws {
        let outcome = try run("evaluate", "uncompiled-logits.keras", "images")
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(
            outcome.errors
                == "graft: uncompiled-logits.keras ends in dense_2 without softmax or sigmoid, so its outputs are scores and no "
                + "probabilities; where it was trained with from_logits=True, --output-activation softmax, or sigmoid, makes "
                + "them so\n")
    }

    @Test func anActivationTooManyIsRefused() throws {
        let outcome = try run(
            "predict", "any-size.keras", "images", "--input-size", "4", "--output-activation", "softmax")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors
                == "graft: --output-activation: any-size.keras ends in a softmax or sigmoid of its own; leave the option out\n"
        )
    }

    // MARK: Features

    @Test func featuresAreShownAsFeatures() throws {
        let outcome = try run("predict", "features.keras", "images/cats/0.png", "--json")
        #expect(outcome.status == 0)
        let line = try #require(outcome.lines.compactMap(JSONLine.init).last)
        #expect(line.names == ["event", "path", "features"])
        let features = try #require(line.object["features"] as? [Double])
        let expected = try #require(try expected("features.keras").values["images/cats/0.png"])
        #expect(features.count == expected.count)
        for (feature, value) in zip(features, expected) { #expect(abs(feature - value) < 1e-5) }
        let text = try run("predict", "features.keras", "images/cats/0.png")
        #expect(text.output == "images/cats/0.png: 5 features -1.6199, 0.1542, -0.8913, 1.8160, …\n")
        #expect(
            text.errors
                == "graft: warning: features.keras puts out features, no classes; graft features writes them as an array\n"
        )
    }

    // MARK: Classes, sizes, files

    @Test func classesWithoutNamesAreSaidToBeSo() throws {
        let outcome = try run("predict", "softmax-logits.keras", "images/cats/0.png")
        #expect(outcome.output == "images/cats/0.png: class 0 99.97 %, class 1 0.03 %\n")
        #expect(
            outcome.errors.hasSuffix(
                "graft: warning: softmax-logits.keras does not say what its classes are called; --classes names them\n")
        )
    }

    @Test func classesComeFromAFileToo() throws {
        try folder.write(Data("cats\ndogs\n".utf8), to: "classes.txt")
        try folder.write(Data("[\"cats\", \"dogs\"]".utf8), to: "classes.json")
        for file in ["classes.txt", "classes.json"] {
            let outcome = try run("predict", "softmax-logits.keras", "images", "--classes", file, "--json")
            try expectPredictions(outcome, "probabilities", of: "softmax-logits.keras", classes: ["cats", "dogs"])
        }
    }

    @Test(arguments: [
        (
            "cats,dogs,birds",
            "softmax-logits.keras has 2 outputs and so 2 classes; it was given 3 names, cats, dogs, birds"
        ),
        (
            "nowhere.txt", "--classes: there is no file nowhere.txt that can be read; names need commas between them ("
        ),
        ("cats,cats", "--classes: cats is there twice; each class needs a name of its own"),
        (
            "cats,",
            "--classes: cats, gives 2 names; needs one for each class, such as cats,dogs, or a file with one a line"
        ),
    ]) func namesThatDoNotFitAreRefused(_ names: String, _ message: String) throws {
        let outcome = try run("predict", "softmax-logits.keras", "images", "--classes", names)
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("graft: \(message)"))
    }

    @Test func openSizesAreGivenByAnOption() throws {
        let refused = try run("predict", "any-size.keras", "images")
        #expect(refused.status == 1)
        #expect(
            refused.errors.hasSuffix(
                "has the shape (None, None, None, 3), which leaves sizes open; say which to use: --input-size 224\n"))
        let outcome = try run(
            "predict", "any-size.keras", "images", "--input-size", "4", "--classes", "cats,dogs", "--json")
        try expectPredictions(outcome, "probabilities", of: "any-size.keras", classes: ["cats", "dogs"])
        let summary = try run("summary", "any-size.keras", "--input-size", "6")
        #expect(summary.output.contains("(None, 6, 6, 3)"))
        let fixed = try run("predict", "features.keras", "images", "--input-size", "5")
        #expect(
            fixed.errors
                == "graft: --input-size: features.keras takes (None, 4, 4, 3) and nothing else; the option is for models that "
                + "leave the size open\n")
    }

    @Test func aWholeModelInHDF5IsTakenByEveryVerb() throws {
        let predicted = try run("predict", "whole.h5", "images", "--classes", "cats,dogs", "--json")
        try expectPredictions(predicted, "probabilities", of: "whole.h5", classes: ["cats", "dogs"])
        let summary = try run("summary", "whole.h5")
        #expect(summary.status == 0 && summary.output.contains("Conv2D"), "\(summary.errors)")
        let evaluated = try run("evaluate", "whole.h5", "images", "--classes", "cats,dogs", "--json")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        let features = try run("features", "whole.h5", "images", "--output", "whole.npy")
        #expect(features.status == 0, "\(features.errors)")
    }

    // MARK: Folders

    @Test func folderOfImagesIsEvaluatedByItsName() throws {
        let cats = try run("evaluate", "softmax-logits.keras", "images/cats", "--classes", "cats,dogs", "--json")
        #expect(cats.status == 0, "\(cats.errors)")
        let line = try #require(cats.lines.compactMap(JSONLine.init).last)
        #expect(line.number("images") == 3)
        // All three are taken for cats by Keras.
        #expect(line.number("accuracy") == 1)
    }

    @Test func folderOfImagesIsEvaluatedByTheNamesOfItsFiles() throws {
        for name in ["cats", "dogs"] {
            for number in 0..<3 {
                let image = try Data(contentsOf: folder.url.appending(path: "images/\(name)/\(number).png"))
                try folder.write(image, to: "flat/\(name).\(number).png")
            }
        }
        try folder.write(Data(contentsOf: folder.url.appending(path: "images/cats/0.png")), to: "flat/catsup.png")
        let flat = try run("evaluate", "softmax-logits.keras", "flat", "--classes", "cats,dogs", "--json")
        #expect(flat.errors.contains("flat/catsup.png: its name begins with no class\n"))
        let folders = try run("evaluate", "softmax-logits.keras", "images", "--json")
        let losses = try [flat, folders].map { try #require($0.lines.compactMap(JSONLine.init).last?.number("loss")) }
        #expect(losses[0] == losses[1])
    }

    @Test func imagesWithoutLabelsAreSaidToBeSo() throws {
        let image = try Data(contentsOf: folder.url.appending(path: "images/cats/0.png"))
        try folder.write(image, to: "new/1.png")
        let outcome = try run("evaluate", "softmax-logits.keras", "new", "--classes", "cats,dogs")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.hasSuffix(
                "graft: new holds images and no folders of classes, and of the model's classes, cats, dogs, none is named: put "
                    + "each class's images into a folder of its name, or begin their names with it, such as cats.1.jpg; graft "
                    + "predict says what images without labels show\n"))
    }
}
