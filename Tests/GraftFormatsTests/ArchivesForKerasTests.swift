import Foundation
import Testing

@testable import GraftFormats

/// Writes archives with inputs and Graft's predictions for `Tests/Keras/formats.py --check`, which opens them in Keras.
@Suite struct ArchivesForKerasTests {
    private static let folder = ProcessInfo.processInfo.environment["GRAFT_ARCHIVES"]

    @Test(.enabled(if: folder != nil, "set GRAFT_ARCHIVES to a folder, as Tests/Keras/formats.py does"))
    func archivesAreWritten() throws {
        let root = try #require(Self.folder)
        for name in TestModels.names {
            let model = try TestModels.model(name)
            TestModels.fill(model)
            model.metadata = ModelMetadata(classNames: ["a", "b"], image: ImageRule(height: 6, width: 6))
            try write(model, to: "\(root)/\(name)")
            try write(Model.load(Fixture.path("\(name).keras")), to: "\(root)/\(name)-resaved")
        }
        let anySize = try Model.load(Fixture.path("any-size.keras"), inputShape: [9, 7, 3])
        try write(anySize, to: "\(root)/settled-size")
    }

    private func write(_ model: Model, to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try model.save(folder + "/model.keras")
        let scale: Float = model.name == "stack" ? 64 : 2
        let inputs = model.inputs.enumerated().map { index, input in
            let shape = [3] + input.shape
            return Tensor(Fixture.numbers(shape, array: index).map { $0 * scale }, shape: shape)
        }
        let outputs = try TestModels.predict(model, inputs)
        for (index, tensor) in inputs.enumerated() { try NumpyFile.write(tensor, to: "\(folder)/input-\(index).npy") }
        for (index, tensor) in outputs.enumerated() { try NumpyFile.write(tensor, to: "\(folder)/output-\(index).npy") }
    }
}
