import GraftData
import GraftFormats

extension Base {
    /// Makes the network.
    ///
    /// - Throws: `GraftError` with code `shape` or `argument` where the options do not fit the base, `file` where weights
    ///   cannot be had, `format` or `weights` where they do not fit; nothing is half loaded.
    public func model(_ options: BaseOptions = BaseOptions()) throws(GraftError) -> Model {
        try model(options, cache: .standard())
    }

    /// Makes the network with published weights from a cache of one's own.
    public func model(_ options: BaseOptions, cache: FileCache) throws(GraftError) -> Model {
        let shape = try inputShape(options)
        try check(options)
        let parts = try Parts(base: self, network: network, options: options, image: Input(shape: shape))
        let model =
            switch options.weights {
            case .none: try parts.model()
            case .builtIn: try parts.modelWithBuiltInWeights()
            case .file(let path): try parts.model(weightsFrom: path)
            case .imagenet:
                try parts.model(weightsFrom: cache.fetch(weights(includeTop: options.includeTop, inputShape: shape)))
            }
        // Statistics of millions of images are worth more than those of a few batches; see `BatchNormalization`.
        if options.weights != .none { model.setStatistics(.frozen) }
        let rule = InputRule.image(ImageRule(height: shape[0], width: shape[1], channels: shape[2]))
        model.metadata.storedInputRule = rule.configuration
        return model
    }

    /// What to know before training with a preprocessing that is not the base's own; `nil` where it is.
    public func warning(for preprocessing: Preprocessing) -> String? {
        guard preprocessing != self.preprocessing else { return nil }
        return """
            \(id) was trained on \(self.preprocessing.formula), and gets \(preprocessing.formula): \
            its features will be worse than they could be
            """
    }

    /// The layer at which a model of this base is cut.
    ///
    /// - Throws: `GraftError` with code `argument` naming the layers that are called nearly so, and the usual cuts.
    public func layer(atCut cut: String, of model: Model) throws(GraftError) -> Layer {
        if let layer = model.layers.first(where: { $0.name == cut }) { return layer }
        let nearest = NearestNames.find(cut, among: model.layers.map(\.name)).joined(separator: ", ")
        throw GraftError(
            .argument,
            """
            \(id) has no layer called “\(cut)” to cut it at; the nearest are \(nearest), the usual ones \
            \(cuts.joined(separator: ", "))
            """)
    }
}

/// A base's tensors, before anything is put on the features.
private struct Parts {
    let base: Base
    let network: any Network
    let options: BaseOptions
    let image: SymbolicTensor
    let features: SymbolicTensor

    init(
        base: Base, network: any Network, options: BaseOptions, image: SymbolicTensor
    ) throws(GraftError) {
        (self.base, self.network, self.options, self.image) = (base, network, options, image)
        let preprocessing = options.preprocessing ?? base.preprocessing
        features = try network.features(of: network.preprocessed(image, by: preprocessing))
    }

    /// The model with random weights.
    func model() throws(GraftError) -> Model { try model(options.includeTop ? classified() : pooled()) }

    /// The model with the weights that are part of Graft.
    func modelWithBuiltInWeights() throws(GraftError) -> Model {
        guard let file = try base.builtIn?() else {
            let own = Base.all.filter(\.hasBuiltInWeights).map(\.id).joined(separator: ", ")
            throw GraftError(
                .argument,
                "the weights of \(base.title) are not part of Graft, only those of \(own) are; give a file of yours, or "
                    + ".imagenet for the published ones")
        }
        let model = try model()
        try BuiltInWeights.load(file, into: model.publishedLayers)
        return model
    }

    /// The model with the weights of a file. One that was written with the top serves a base without it too.
    func model(weightsFrom path: String) throws(GraftError) -> Model {
        switch try WeightFileKind(ofFileAt: path) {
        case .hdf5: return try model(weightsFromKeras: path)
        case .safetensors: return try model(weightsFromPyTorch: path)
        case .zip: throw refusal(of: path, "a zip archive, as .keras models and PyTorch's .pth files are")
        case .unknown(let beginning):
            throw refusal(of: path, "neither HDF5 nor safetensors (it begins with \(beginning))")
        }
    }

    private func refusal(of path: String, _ kind: String) -> GraftError {
        GraftError(.format, "\(path) is \(kind); weights of \(base.title) are read from \(base.fileDescription)")
    }

    private func model(weightsFromPyTorch path: String) throws(GraftError) -> Model {
        let layouts = network.pyTorchLayouts(for: image.shape)
        guard !layouts.isEmpty else { throw refusal(of: path, "a safetensors file") }
        let model = try model()
        try PyTorchWeights.load(from: path, into: model.publishedLayers, layouts: layouts)
        return model
    }

    private func model(weightsFromKeras path: String) throws(GraftError) -> Model {
        guard options.preprocessing.map({ $0 == base.preprocessing }) ?? true || !network.preprocessingHasWeights else {
            return try modelWithoutPreprocessing(weightsFromKeras: path)
        }
        let model = try loaded(fromKeras: path)
        guard let other = network.asTrained(by: model) else { return model }
        let parts = try Parts(base: base, network: other, options: options, image: Input(shape: image.shape))
        return try parts.loaded(fromKeras: path)
    }

    /// The file has weights for a preprocessing that this model does not have: they are loaded into one that does, and what
    /// comes behind is handed over.
    private func modelWithoutPreprocessing(weightsFromKeras path: String) throws(GraftError) -> Model {
        var whole = options
        whole.preprocessing = nil
        let parts = try Parts(base: base, network: network, options: whole, image: Input(shape: image.shape))
        let source = try parts.loaded(fromKeras: path)
        let model = try model()
        for layer in model.publishedLayers {
            try layer.setWeights(source.layer(named: layer.name).variables.map(\.value))
        }
        return model
    }

    private func loaded(fromKeras path: String) throws(GraftError) -> Model {
        let model = try model()
        do {
            try KerasWeights.load(from: path, into: model.publishedLayers)
        } catch {
            guard error.code == .weights, !options.includeTop else { throw error }
            let whole = try self.model(classified())
            guard (try? KerasWeights.load(from: path, into: whole.publishedLayers)) != nil else { throw error }
        }
        return model
    }

    private func model(_ output: SymbolicTensor) throws(GraftError) -> Model {
        let name = options.name ?? base.modelName + network.nameSuffix(for: image.shape)
        return try Model(inputs: image, outputs: output, name: name, seed: options.seed)
    }

    private func classified() throws(GraftError) -> SymbolicTensor {
        try network.classified(
            features, classes: options.classes, activation: options.classifierActivation)
    }

    private func pooled() throws(GraftError) -> SymbolicTensor {
        let pooled =
            switch options.pooling {
            case .none: features
            case .average: try GlobalAveragePooling2D(name: network.poolingNames?.average)(features)
            case .max: try GlobalMaxPooling2D(name: network.poolingNames?.max)(features)
            }
        return try network.finished(pooled)
    }
}
