import GraftModel
import GraftSystem

/// Whole models in ONNX files, of the operators 9 to 21.
enum ONNXFile {
    private static let operatorSets = 9...21
    /// What a message of protobuf can hold.
    private static let byteLimit = Int(Int32.max)

    /// Whether a name says that the file is one.
    static func isNamed(by path: String) -> Bool { path.lowercased().hasSuffix(".onnx") }

    /// Whether a file begins as one does: with the version of the representation.
    static func begins(_ head: [UInt8]) -> Bool { head.count > 1 && head[0] == 0x08 && (1...20).contains(head[1]) }

    static func read(_ path: String, sizes: InputShapes) throws(GraftError) -> Model {
        let bytes: [UInt8]
        do throws(GraftError) {
            bytes = try FileBytes.read(path, limit: byteLimit)
        } catch {
            throw GraftError(.file, "\(path) \(error.message)")
        }
        return try read(bytes, path: path, sizes: sizes)
    }

    /// A model of a file's bytes.
    static func read(_ bytes: [UInt8], path: String, sizes: InputShapes) throws(GraftError) -> Model {
        do throws(GraftError) {
            let content = try ONNXDecoder(bytes, path: path).content
            guard operatorSets.contains(content.operatorSet) else {
                throw GraftError(
                    .format,
                    "its operators are of version \(content.operatorSet); Graft reads \(operatorSets.lowerBound) to "
                        + "\(operatorSets.upperBound). onnx.version_converter.convert_version(model, 18) brings it there"
                )
            }
            var importer = try ONNXImporter(content, sizes: sizes)
            let model = try importer.model()
            model.metadata.classNames = classNames(content, outputs: model.outputs)
            // Statistics of millions of images are worth more than those of a few batches.
            model.setStatistics(.frozen)
            return model
        } catch {
            throw error.message.hasPrefix(path) ? error : error.inside(path)
        }
    }

    /// The classes that Graft's own files name.
    private static func classNames(_ content: ONNXContent, outputs: [SymbolicTensor]) -> [String]? {
        guard let text = content.metadata["classes"],
            let names = try? Configuration(json: Array(text.utf8)).elements?.compactMap(\.text), outputs.count == 1,
            names.count == max(outputs[0].shape.last, 2), names.count > 1
        else { return nil }
        return names
    }
}
