import GraftModel
import GraftSystem

extension Model {
    /// Writes the model as an ONNX file (opset 18), which onnxruntime, OpenVINO, ONNX.js and many others run.
    ///
    /// The file computes what the model does in inference: layers that act in training alone are left out, batch normalization is
    /// worked into the convolutions. Inputs and outputs have the shapes that they have in Graft and Keras, images as (batch, height,
    /// width, channels), and the names of their layers; preprocessing that is part of the model is part of the file. Any batch size
    /// is taken. The classes stand in the file's metadata under `classes`, as a JSON list.
    ///
    /// - Parameter path: ends in `.onnx`.
    /// - Throws: `GraftError` with code `argument` for another ending; `format` for a layer that ONNX has no operators for, and
    ///   for more than the 2 GB that such a file can hold; `file` where it cannot be written; `state` for a ``Sequential`` that
    ///   does not know its input yet.
    public func exportONNX(to path: String) throws(GraftError) {
        guard path.hasSuffix(".onnx") else {
            throw GraftError(.argument, "ONNX models are written to files that end in .onnx, not \(path)")
        }
        _ = try requireGraph()
        let parameterByteCount = variables.reduce(0) { $0 + 4 * $1.shape.elementCount }
        guard parameterByteCount < Self.maximumByteCount else {
            throw GraftError(
                .format,
                "\(name) has \(parameterByteCount / 1_000_000) MB of parameters, and an ONNX file holds less than 2,147 MB"
            )
        }
        var file = try ONNXExporter(self).model
        file.metadata.append((Self.layoutKey, Self.channelsLast))
        if let classes = metadata.classNames {
            let list = JSONWriter.write(.array(classes.map { .string($0) }))
            file.metadata.append(("classes", String(decoding: list, as: UTF8.self)))
        }
        let message = file.message
        file.initializers = []
        try AtomicFile.write(to: path, byteCount: message.byteCount) { (temporary) throws(GraftError) in
            try message.write(to: temporary)
        }
    }

    /// Under which a file says how its images lie, so that none has to be guessed from sizes.
    static let layoutKey = "layout"
    static let channelsLast = "channels last"

    /// Of a message of protobuf.
    private static var maximumByteCount: Int { Int(Int32.max) }
}
