import Foundation
import Testing

@testable import GraftFormats

/// Whole models in HDF5 files: those that `tf_keras` wrote by `Tests/Keras/keras2_models.py`, one of Keras 3, and damaged ones.
@Suite struct WholeModelTests {
    private static let folder = Fixture.path("keras2")

    /// The names of the files without their ending.
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".h5") }.map { String($0.dropLast(3)) }.sorted()
    }()

    private static func arrays(_ name: String, _ kind: String) throws -> [Tensor] {
        try (0...).lazy.map { "\(folder)/\(name)-\(kind)-\($0).npy" }
            .prefix { FileManager.default.fileExists(atPath: $0) }
            .map { try NumpyFile.tensor(contentsOf: $0) }
    }

    @Test func thereAreFiles() { #expect(Self.names.count == 14) }

    /// Sums of at most 200 products of two digits each, rounded in 32 bits by Keras; of half floats to 2⁻¹¹ each.
    @Test(arguments: names) func kerasTwoModelGivesItsOutputs(_ name: String) throws {
        let model = try Model.load("\(Self.folder)/\(name).h5")
        try expectOutputs(model, name)
        try withTemporaryFolder { folder in
            try model.save(folder + "/again.keras")
            try expectOutputs(Model.load(folder + "/again.keras"), name)
        }
    }

    private func expectOutputs(_ model: Model, _ name: String) throws {
        let inputs = try Self.arrays(name, "input")
        let expected = try Self.arrays(name, "output")
        let outputs = try TestModels.predict(model, inputs)
        #expect(outputs.count == expected.count && !outputs.isEmpty)
        for (output, expected) in zip(outputs, expected) {
            let largest = expected.scalars.map(abs).max() ?? 0
            let worst = zip(output.scalars, expected.scalars).map { abs($0 - $1) }.max() ?? .infinity
            let tolerance: Float = name == "mixed-precision" ? 5e-3 : 1e-5
            #expect(output.shape == expected.shape && worst <= tolerance * largest, "\(name): \(worst) of \(largest)")
        }
    }

    @Test func whatIsReadInAnotherWayIsNoted() throws {
        let model = try Model.load("\(Self.folder)/mixed-precision.h5")
        #expect(model.readingNotes == ["the type mixed_float16 is read as float32, which Graft computes with"])
        let logits = try Model.load("\(Self.folder)/input-shape-at-a-layer.h5")
        #expect(logits.readingNotes.isEmpty)
        #expect(logits.metadata.outputActivation == .sigmoid)
        #expect(logits.layers.map(\.kindName) == ["Dense", "Dropout", "BatchNormalization", "Dense"])
    }

    /// Google's Teachable Machine writes its classes beside the model.
    @Test func labelsBesideAModelNameItsClasses() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/keras_model.h5"
            try FileManager.default.copyItem(atPath: "\(Self.folder)/teachable-machine.h5", toPath: path)
            #expect(try Model.load(path).metadata.classNames == nil)
            try Data("0 Cats\n1 Two dogs\n2 3 birds\n".utf8).write(to: URL(fileURLWithPath: folder + "/labels.txt"))
            #expect(try Model.load(path).metadata.classNames == ["Cats", "Two dogs", "3 birds"])
            // Of another model, or no labels at all.
            try Data("0 Cats\n1 Dogs\n".utf8).write(to: URL(fileURLWithPath: folder + "/labels.txt"))
            #expect(try Model.load(path).metadata.classNames == nil)
        }
    }

    /// Of Keras 3, which keeps its own configuration in the older file.
    @Test func wholeModelOfKerasThreeGivesItsOutputs() throws {
        let model = try Model.load(Fixture.path("whole-model.h5"))
        let archive = try Model.load(Fixture.path("functional.keras"))
        #expect(model.layers.map(\.name).count == archive.layers.count)
        #expect(model.weights.map(\.scalars) == archive.weights.map(\.scalars))
        #expect(
            graftError { _ = try Model.load(Fixture.path("functional.weights.h5")) }?.message
                .contains("is an HDF5 file of weights, without the layers") == true)
    }

    /// Whatever is cut off, the answer is an error.
    @Test func truncatedModelsAreRefused() throws {
        let bytes = try Fixture.bytes("keras2/nested.h5")
        try withTemporaryFolder { folder in
            let path = folder + "/cut.h5"
            for length in stride(from: 0, to: bytes.count, by: 499) {
                try Data(bytes[..<length]).write(to: URL(fileURLWithPath: path))
                #expect(throws: GraftError.self, "\(length) bytes") { try Model.load(path) }
            }
        }
    }

    /// Two real files of Keras 2.4 beside the package: ResNet8 for CIFAR-10, and MobileNetV1 for persons.
    private static let shared: String = {
        let named = ProcessInfo.processInfo.environment["GRAFT_SHARED"]
        let beside = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../../shared"
        ).standardized.path
        return (named ?? beside) + "/weights/keras2-models"
    }()

    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: shared), "the shared folder is not there"),
        arguments: [("resnet8_cifar10", "resnet8"), ("mobilenet_v1_0.25_96_vww", "vww")])
    func realFilesGiveTheirReference(_ name: String, _ key: String) throws {
        let reference = try SafetensorsFile(reading: Self.shared + "/reference.safetensors")
        let names = reference.arrays.map(\.name).filter { $0.contains(key) || $0.contains(name) }
        let input = try #require(names.first { $0.contains("input") }, "arrays: \(reference.arrays.map(\.name))")
        let output = try #require(names.first { $0.contains("output") })
        let model = try Model.load("\(Self.shared)/\(name).h5")
        // One image: the interpreter takes seconds for each.
        let (pixels, expected) = try (reference.tensor(input).prefix(rows: 1), reference.tensor(output).prefix(rows: 1))
        let scaled = Tensor(pixels.scalars.map { key == "vww" ? $0 / 255 : $0 }, shape: pixels.shape)
        let received = try TestModels.predict(model, [scaled])[0]
        // Probabilities after ten and twenty-eight layers: the promise for features.
        let worst = zip(received.scalars, expected.scalars).map { abs($0 - $1) }.max() ?? .infinity
        #expect(received.shape == expected.shape && worst <= 1e-4)
    }
}
