import GraftModel

extension Model {
    /// Reads a model that Graft or Keras 3 saved as a `.keras` file, or that Keras 2 or 3 saved whole as an `.h5` file (in a zip
    /// archive too, as Teachable Machine gives it), or an ONNX file of the operators 9 to 21.
    ///
    /// - Parameters:
    ///   - path: The file; what it is, is seen from its contents.
    ///   - inputShape: What to use for inputs whose sizes the file leaves open, without the batch axis.
    ///   - registry: The layers that are known; custom classes of Keras are read where it has them.
    /// - Throws: `.file` where the file is missing or unreadable; `.format` where it is no such archive, cut short,
    ///   damaged, or has layers or arguments that Graft does not know; `.shape` where it leaves sizes open;
    ///   `.weights` where its weights do not fit its layers.
    public static func load(
        _ path: String, inputShape: Shape? = nil, registry: LayerRegistry = .standard
    ) throws(GraftError) -> Model {
        let sizes = InputShapes(inputShape.map { .shape($0) }, wayOut: "Model.load(path, inputShape: [224, 224, 3])")
        return try load(path, sizes: sizes, registry: registry)
    }

    /// Reads a model for a caller who says sizes in another way.
    package static func load(
        _ path: String, sizes: InputShapes, registry: LayerRegistry = .standard
    ) throws(GraftError) -> Model {
        let head = try FileHead(path: path, count: 8).bytes
        if ONNXFile.isNamed(by: path) || ONNXFile.begins(head) { return try ONNXFile.read(path, sizes: sizes) }
        return try KerasArchive.read(path, sizes: sizes, registry: registry)
    }
}
