import Foundation
import GraftData
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
            model.metadata = ModelMetadata(classNames: ["a", "b"])
            model.metadata.storedInputRule = InputRule.image(ImageRule(height: 6, width: 6)).configuration
            try write(model, to: "\(root)/\(name)")
            try write(Model.load(Fixture.path("\(name).keras")), to: "\(root)/\(name)-resaved")
        }
        // The one activation that has no name in Keras's files.
        try write(
            Sequential([
                InputLayer(shape: [5]), Dense(4, activation: .geluTanh), Activation(.geluTanh), Dense(2),
            ]), to: "\(root)/gelu-tanh")
        try writeManyMembers(to: root + "/many.h5")
        try LegacyWeights.save(TestModels.functional().layers, to: root + "/functional-legacy.h5")
        let anySize = try Model.load(Fixture.path("any-size.keras"), inputShape: [9, 7, 3])
        try write(anySize, to: "\(root)/settled-size")
    }

    /// More members than one node of HDF5's tree holds, so that the tree has three levels; and text of every kind.
    private func writeManyMembers(to path: String) throws {
        let file = HDF5Writer()
        for index in 0..<3000 {
            let values = Tensor(Fixture.numbers([2, 3], array: index), shape: [2, 3])
            try file.root.write(values, to: "group/member_\(index)/values")
        }
        try file.root.write([1, -2, 1 << 40], shape: [3], to: "integers")
        try file.root.write(Tensor(2.5), to: "scalar")
        try file.root.write(Tensor(zeros: [0, 3]), to: "empty")
        try file.root.makeGroup("none")
        try file.root.setAttribute("text", "größer")
        try file.root.setAttribute("list", ["a", "bcd", ""])
        try file.root.setAttribute("none", [])
        try file.root.setChunkedAttribute("many", (0..<9000).map { "layer_\($0)" })
        try file.write(to: path)
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
