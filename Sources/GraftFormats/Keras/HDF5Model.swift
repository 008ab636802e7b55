import Foundation
import GraftModel

/// Whole models in HDF5 files, `.h5`, as Keras 2, `tf_keras` and, on demand, Keras 3 save them.
///
/// | place | holds |
/// |---|---|
/// | attribute `model_config` | the layers and their calls, of Keras 2 or 3 |
/// | attribute `training_config` | the loss that the model was compiled with |
/// | group `model_weights` | the weights, see ``LegacyWeights`` |
/// | group `optimizer_weights` | passed over |
///
/// A file `labels.txt` beside it, as Google's Teachable Machine writes it (`0 cats`), names the classes.
///
/// Source: keras/src/legacy/saving/legacy_h5_format.py, `load_model_from_hdf5`.
enum HDF5Model {
    private static let configurationName = "model_config"
    private static let trainingName = "training_config"
    /// The file beside a model that names its classes.
    static let labelsName = "labels.txt"

    static func read(
        _ path: String, sizes: InputShapes, registry: LayerRegistry
    ) throws(GraftError) -> Model {
        let root = try HDF5File(reading: path).root
        guard let text = try root.strings(chunkedAttribute: configurationName)?.first else {
            throw GraftError(
                .format,
                "\(path) is an HDF5 file of weights, without the layers that they belong to; build the model and fill it "
                    + "with loadWeights, or give the file to --weights where the command takes a base")
        }
        let model: Model
        do throws(GraftError) {
            let bytes = Array(text.utf8)
            guard bytes.count <= KerasArchive.configurationLimit else {
                throw GraftError(.format, "its configuration has \(bytes.count) bytes, more than any model's")
            }
            var configuration = try Configuration(json: bytes).inKerasThreeForm()
            try sizes.settle(&configuration)
            model = try Model.deserialize(configuration, registry: registry)
            model.metadata.outputActivation = try outputActivation(root)
        } catch {
            throw error.message.hasPrefix(path) ? error : error.inside(path)
        }
        _ = try model.requireGraph()
        _ = try LegacyWeights.load(from: path, into: model.layers)
        model.metadata.classNames = labels(beside: path, outputs: model.outputs)
        return model
    }

    /// What makes probabilities of the outputs, as the loss says; a loss that cannot be read says nothing.
    private static func outputActivation(_ root: HDF5Group) throws(GraftError) -> OutputActivation? {
        guard let text = try root.strings(chunkedAttribute: trainingName)?.first,
            let compiled = try? Configuration(json: Array(text.utf8))
        else { return nil }
        return CompileConfiguration(of: ["compile_config": compiled]).outputActivation
    }

    /// A thousand classes of a hundred letters.
    private static let labelsLimit = 1 << 17

    /// The classes of `labels.txt`, where there are as many as outputs: a line each, the number in front left out.
    private static func labels(beside path: String, outputs: [SymbolicTensor]) -> [String]? {
        let file = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(labelsName).path
        guard outputs.count == 1, let head = try? FileHead(path: file, count: labelsLimit),
            let text = String(bytes: head.bytes, encoding: .utf8)
        else { return nil }
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        guard lines.count == outputs[0].shape.last, !lines.contains("") else { return nil }
        return lines.enumerated().map { number, line in
            let prefix = "\(number) "
            return line.hasPrefix(prefix) ? String(line.dropFirst(prefix.count)) : line
        }
    }
}
