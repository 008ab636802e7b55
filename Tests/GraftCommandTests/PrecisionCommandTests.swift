import Foundation
import Graft
import Testing

/// `--precision`, with the built command.
@Suite(.serialized) struct PrecisionCommandTests {
    private let classifier: SavedClassifier

    init() throws { classifier = try SavedClassifier.shared.get() }

    private static let photos = shared("images/cats-and-dogs/validation/cats")
    private static let weights = shared("weights/inception_v3-2015-12-05-notop.h5")

    /// A file or folder beside the package, or where `GRAFT_SHARED` says; `nil` where it is not there.
    private static func shared(_ name: String) -> String? {
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/").dropFirst()
        let folder = ProcessInfo.processInfo.environment["GRAFT_SHARED"] ?? "\(root)/../shared"
        return FileManager.default.fileExists(atPath: "\(folder)/\(name)") ? "\(folder)/\(name)" : nil
    }

    @Test func trainingSaysWhatItComputesInAndWhy() throws {
        let outcome = try classifier.tool.run(
            ["train", "photos", "--epochs", "1", "--output", "precision.keras", "--json"] + SavedClassifier.network)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let line = try #require(outcome.lines.compactMap { JSONLine($0) }.first { $0.string("event") == "precision" })
        #expect(line.string("precision") == (Precision.isBFloat16Supported ? "bfloat16" : "float32"))
        #expect(line.string("reason")?.contains("this processor has") == true)
        #expect(outcome.errors.contains("computing in \(line.string("precision") ?? ""): "))
        // Random weights: the first convolutions of InceptionV3.
        if Precision.isBFloat16Supported {
            #expect(line.number("distance").map { $0 > 0 && $0 < 0.1 } == true, "\(line.object)")
        }
    }

    @Test func trainingSaysWhatItsOptimizersStateIsStoredAs() throws {
        let outcome = try classifier.tool.run(
            ["train", "photos", "--epochs", "1", "--output", "state.keras", "--optimizer-state", "bfloat16", "--json"]
                + SavedClassifier.network)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let line = try #require(outcome.lines.compactMap { JSONLine($0) }.first { $0.string("event") == "precision" })
        #expect(line.string("optimizer_state") == "bfloat16")
        #expect(outcome.errors.contains("the optimizer's state is stored in bfloat16\n"))
    }

    @Test(.disabled(if: Precision.isBFloat16Supported, "this processor has bfloat16"))
    func bfloat16IsRefusedWhereTheProcessorDoesNotHaveIt() throws {
        let outcome = try classifier.tool.run(
            ["train", "photos", "--precision", "bfloat16", "--output", "precision.keras"] + SavedClassifier.network)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("needs a processor with AVX512_BF16 or AMX, and this one has neither"))
    }

    /// Relative to the length of all features: 70 convolutions that each round their kernel, their input and their result
    /// to 8 bits.
    @Test(
        .enabled(if: Precision.isBFloat16Supported, "this processor has no instructions for bfloat16"),
        .enabled(if: photos != nil && weights != nil, "needs ../shared/images and ../shared/weights"))
    func featuresOfPhotosAreWithinTwoHundredthsOfFloat32() throws {
        let (photos, weights) = try (#require(Self.photos), #require(Self.weights))
        for name in try FileManager.default.contentsOfDirectory(atPath: photos).sorted().prefix(8) {
            let picture = try Data(contentsOf: URL(filePath: "\(photos)/\(name)"))
            try classifier.folder.write(picture, to: "cats/\(name)")
        }
        func features(_ precision: String) throws -> [Float] {
            let outcome = try classifier.tool.run([
                "features", "inception-v3", "cats", "--weights", weights, "--input-size", "150", "--cut", "mixed7",
                "--precision", precision, "--output", "\(precision).npy",
            ])
            try #require(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("computing in \(precision): as asked"))
            return try NumpyFile.tensor(contentsOf: classifier.folder.url.appending(path: "\(precision).npy").path)
                .scalars
        }
        let (narrow, wide) = try (features("bfloat16"), features("float32"))
        try #require(wide.count == 8 * 7 * 7 * 768 && narrow.count == wide.count)
        var (distance, length) = (0.0, 0.0)
        for (narrow, wide) in zip(narrow, wide) {
            distance += Double(narrow - wide) * Double(narrow - wide)
            length += Double(wide) * Double(wide)
        }
        #expect((distance / length).squareRoot() < 0.02)
        #expect(distance > 0)
    }
}
