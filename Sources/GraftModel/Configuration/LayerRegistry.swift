/// Makes layers from what a file says about them, by Keras's class names.
public struct LayerRegistry: Sendable {
    /// Makes one kind of layer. Reads all of its arguments; what is left over is refused.
    public typealias Maker = @Sendable (inout ConfigurationReader) throws(GraftError) -> Layer

    private var makers: [String: Maker]
    /// The names that ``register(_:_:)`` was given: the only ones that a custom class of Keras may be taken for.
    private var registered: Set<String> = []

    private init(_ schemas: [LayerSchema]) {
        makers = Dictionary(uniqueKeysWithValues: schemas.map { ($0.className, $0.make) })
    }

    /// All layers that Graft has.
    public static let standard = LayerRegistry(layers.compactMap { $0.schema })

    private static let layers: [Layer.Type] = [
        InputLayer.self, Conv2D.self, DepthwiseConv2D.self, SeparableConv2D.self, Dense.self, BatchNormalization.self,
        Activation.self,
        ReLU.self, MaxPooling2D.self, AveragePooling2D.self, GlobalAveragePooling2D.self, GlobalMaxPooling2D.self,
        ZeroPadding2D.self, UpSampling2D.self, Flatten.self, Reshape.self, Dropout.self, SpatialDropout2D.self,
        GaussianNoise.self, Concatenate.self, Add.self, Multiply.self, Rescaling.self, Normalization.self,
        UnitNormalization.self, Embedding.self, LayerNormalization.self, Cropping2D.self, LayerScale.self,
        StochasticDepth.self, CustomScaleLayer.self, LeakyReLU.self, PReLU.self, ELU.self, Softmax.self, Identity.self,
        Permute.self, RepeatVector.self,
        Average.self, Subtract.self, Maximum.self, Minimum.self, Dot.self, GaussianDropout.self, AlphaDropout.self,
        ActivityRegularization.self, GroupNormalization.self, RMSNormalization.self, Conv1D.self,
        Conv2DTranspose.self, MaxPooling1D.self, AveragePooling1D.self, GlobalAveragePooling1D.self,
        GlobalMaxPooling1D.self, Resizing.self, CenterCrop.self, RandomFlip.self, RandomRotation.self,
        MultiHeadAttention.self, RandomZoom.self, RandomTranslation.self, RandomContrast.self, RandomBrightness.self,
        RandomCrop.self,
    ]

    /// The class names it knows, sorted.
    public var classNames: [String] { makers.keys.sorted() }

    /// Adds a kind of layer, or replaces one.
    ///
    /// - Parameter className: Keras's name of the class; of a custom class, the name that it was registered under in Keras,
    ///   such as `my>Dense`, or its own where it was not registered.
    public mutating func register(_ className: String, _ maker: @escaping Maker) {
        makers[className] = maker
        registered.insert(className)
    }

    /// The layer that a serialized object describes: of the class that its `module` and `registered_name` say, which is
    /// not always the one that `class_name` names.
    ///
    /// - Throws: ``GraftError`` with code `format` for a custom class that was not registered here, and where the class or
    ///   an argument is not known or does not fit.
    func layer(_ serialized: Configuration) throws(GraftError) -> Layer {
        guard let type = SerializedClass(serialized), let configuration = serialized["config"] else {
            throw GraftError(.format, "a layer needs a class_name and a config; this is \(serialized.brief)")
        }
        guard type.isCustom else { return try layer(type.name, configuration) }
        guard let name = [type.fullName, type.name].first(where: registered.contains) else {
            let place = configuration["name"]?.text.map { "layer \($0.prefix(60)): " } ?? ""
            let error = type.refusal(
                of: "layer class",
                wayOut: "build the model from Keras's own layers, or load it with a LayerRegistry that has "
                    + "register(\"\(type.fullName)\") with a layer of the same formula in Swift")
            throw GraftError(error.code, place + error.message)
        }
        return try layer(name, configuration)
    }

    /// A layer of this class with these arguments.
    ///
    /// - Throws: ``GraftError`` with code `format` where the class or an argument is not known or does not fit.
    public func layer(_ className: String, _ configuration: Configuration) throws(GraftError) -> Layer {
        guard let maker = makers[className] else {
            let place = configuration["name"]?.text.map { "layer \($0.prefix(60)): " } ?? ""
            guard className != "Lambda" else {
                throw GraftError(
                    .format,
                    "\(place)a Lambda holds Python code, which Graft does not run; write what it does with layers or keras.ops "
                        + "(x / 255 is read as it stands), or cut the model before it and save that part")
            }
            throw GraftError(
                .format,
                "\(place)the layer class \(className.prefix(60)) is not known; known are "
                    + classNames.joined(separator: ", ")
                    + ". A LayerRegistry with register(\"\(className.prefix(60))\") and a layer of the same formula in Swift reads "
                    + "it; so does a model that is cut before it and saved in Keras")
        }
        var reader = try ConfigurationReader(className: className, configuration: configuration)
        let layer = try maker(&reader)
        try reader.finish()
        layer.trainable = reader.trainable
        layer.activityRegularizer = reader.activityRegularizer
        try layer.checkArguments()
        return layer
    }
}
