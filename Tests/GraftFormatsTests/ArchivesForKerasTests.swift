import Foundation
import GraftApplications
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
        try writeTexts(to: root)
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

    /// Networks of texts, which are made of Keras's layers and functions: masks at calls, positions, tables of constants.
    private func writeTexts(to root: String) throws {
        var sizes = BERTConfiguration(vocabularySize: 17, width: 6, layerCount: 2, headCount: 2, innerWidth: 8)
        sizes.positionCount = 9
        var encoder = try BERT(sizes)
        (encoder.length, encoder.hasPairs) = (5, true)
        let network = try encoder.model()
        var features = [try encoder.features(at: "layer1", of: network)]
        encoder.pooling = .first
        features.append(try encoder.features(at: "layer2", of: network))
        var gpt2 = try TextDecoder(
            DecoderConfiguration(
                .gpt2, vocabularySize: 17, width: 6, layerCount: 1, headCount: 2, positionCount: 9))
        var llama = try TextDecoder(
            DecoderConfiguration(
                .llama, vocabularySize: 17, width: 8, layerCount: 2, headCount: 4, keyValueHeadCount: 2, innerWidth: 6,
                positionCount: 9))
        (gpt2.length, llama.length) = (5, 5)
        let models = try [
            "bert": Model(inputs: network.inputs, outputs: Concatenate()(features)), "gpt2": gpt2.model(),
            "llama": llama.model(),
        ]
        for (name, model) in models {
            for layer in model.layers where !layer.isPermanentlyFrozen && !layer.variables.isEmpty {
                try layer.setWeights(
                    layer.variables.enumerated().map { index, variable in
                        Tensor(Fixture.numbers(variable.shape, array: index), shape: variable.shape)
                    })
            }
            // The first token of each text is seen.
            let ids = [1, 16, 2, 9, 9, 3, 3, 14, 7, 1, 6, 4, 2, 1, 12].map(Float.init)
            let flags = [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0].map(Float.init)
            let inputs = [ids, flags, flags.map { 1 - $0 }].prefix(model.inputs.count).map {
                Tensor($0, shape: [3, 5])
            }
            try write(model, inputs, to: "\(root)/\(name)")
        }
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
        let scale: Float = model.name == "stack" ? 64 : 2
        let inputs = model.inputs.enumerated().map { index, input in
            let shape = [3] + input.shape
            return Tensor(Fixture.numbers(shape, array: index).map { $0 * scale }, shape: shape)
        }
        try write(model, inputs, to: folder)
    }

    private func write(_ model: Model, _ inputs: [Tensor], to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try model.save(folder + "/model.keras")
        let outputs = try TestModels.predict(model, inputs)
        for (index, tensor) in inputs.enumerated() { try NumpyFile.write(tensor, to: "\(folder)/input-\(index).npy") }
        for (index, tensor) in outputs.enumerated() { try NumpyFile.write(tensor, to: "\(folder)/output-\(index).npy") }
    }
}
