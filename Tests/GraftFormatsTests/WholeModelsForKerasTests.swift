import Foundation
import Testing

@testable import GraftFormats

/// The live check of models as people write them: reads what Keras saved, compares outputs, and saves it for Keras again.
/// `Tests/Keras/whole_models.py --check` makes the files and opens those that are written here.
@Suite struct WholeModelsForKerasTests {
    private static let folder = ProcessInfo.processInfo.environment["GRAFT_WHOLE_MODELS"]

    @Test(.enabled(if: folder != nil, "set GRAFT_WHOLE_MODELS to a folder, as Tests/Keras/whole_models.py does"))
    func modelsAreReadComparedAndWritten() throws {
        let root = try #require(Self.folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: root).sorted()
        #expect(!names.isEmpty)
        var report: [String] = []
        for name in names {
            let folder = "\(root)/\(name)"
            for kind in ["keras", "h5"] where FileManager.default.fileExists(atPath: "\(folder)/model.\(kind)") {
                do {
                    let model = try Model.load("\(folder)/model.\(kind)")
                    let difference = try largestDifference(model, folder)
                    report.append("\(name) \(kind) \(difference)")
                    try model.save("\(folder)/again-\(kind).keras")
                } catch {
                    report.append("\(name) \(kind) failed: \(error)")
                }
            }
        }
        try Data(report.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: root + "/report.txt"))
    }

    /// The largest difference from Keras's outputs, as a part of the largest of an output.
    private func largestDifference(_ model: Model, _ folder: String) throws -> Double {
        let inputs = try arrays(folder, "input")
        let outputs = try TestModels.predict(model, inputs)
        let expected = try arrays(folder, "output")
        guard outputs.map(\.shape) == expected.map(\.shape), !outputs.isEmpty else { return .infinity }
        return zip(outputs, expected).map { output, expected in
            let largest = Double(expected.scalars.map(abs).max() ?? 0)
            let worst = Double(zip(output.scalars, expected.scalars).map { abs($0 - $1) }.max() ?? 0)
            return worst / max(largest, 1e-30)
        }.max() ?? .infinity
    }

    private func arrays(_ folder: String, _ kind: String) throws -> [Tensor] {
        try (0...).lazy.map { "\(folder)/\(kind)-\($0).npy" }
            .prefix { FileManager.default.fileExists(atPath: $0) }
            .map { try NumpyFile.tensor(contentsOf: $0) }
    }
}
