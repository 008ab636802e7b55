import GraftApplications
import GraftModel
import GraftTraining

extension TrainingRecipe {
    /// The frozen base, its weights loaded.
    ///
    /// - Throws: `GraftError` as ``GraftApplications/Base/model(_:)``.
    public func network() throws(GraftError) -> Model {
        let network = try base.model(
            BaseOptions(
                weights: weights, includeTop: false, inputShape: rule.shape,
                preprocessing: preprocessing, seed: seed))
        network.freeze()
        return network
    }

    /// The base with the head and an output layer for these classes on top. The base's own layers are part of it.
    ///
    /// - Parameter network: what ``network()`` gave.
    /// - Throws: `GraftError` with code `argument` where the base has no layer of the cut's name, or the head does not fit.
    public func model(on network: Model, classNames: [String]) throws(GraftError) -> Model {
        let activation = ImageTask.classes.activation(outputs: classNames.count)
        let model = try model(
            on: network, outputs: ImageTask.classes.outputCount(classNames: classNames), activation)
        model.metadata = ModelMetadata(classNames: classNames, inputRule: .image(rule))
        return model
    }

    /// The base with the head and an output layer for what is to be learned of these images on top.
    ///
    /// The last layer of a regression brings what the output layer computes to the mean and the deviation of the training
    /// images' targets, so that steps of the same size suit ages and milliseconds alike.
    ///
    /// - Parameters:
    ///   - network: what ``network()`` gave.
    ///   - images: their task, classes and targets decide about the output layer.
    /// - Throws: as ``model(on:classNames:)``.
    public func model(on network: Model, for images: LabelledImages) throws(GraftError) -> Model {
        guard images.task != .classes else { return try model(on: network, classNames: images.classNames) }
        let outputs = images.training.targetWidth
        let scale = images.task == .regression ? Self.scale(of: images.training) : nil
        let model = try model(on: network, outputs: outputs, images.task.activation(outputs: outputs), scale)
        model.metadata = ModelMetadata(
            classNames: images.task == .labels ? images.classNames : nil, inputRule: .image(rule))
        model.metadata.task = images.task.rawValue
        return model
    }

    /// `y = mean + x · deviation`, for each number; one that is the same for all images keeps its scale.
    private static func scale(of images: ImageDataset) -> Rescaling {
        let (means, deviations) = images.targetStatistics
        return Rescaling(
            scale: .channels(deviations.map { $0 > 0 ? $0 : 1 }), offset: .channels(means), name: "target_scale")
    }

    private func model(
        on network: Model, outputs: Int, _ activation: ActivationFunction, _ scale: Rescaling? = nil
    ) throws(GraftError) -> Model {
        guard penalty >= 0, penalty.isFinite else {
            throw GraftError(.argument, "penalty: it must be 0 or more, and is \(penalty)")
        }
        let input = try headInput(on: network)
        let hidden = try input.head(input.features, groups: input.groups)
        var output = try outputLayer(outputs, activation)(hidden)
        if let scale { output = try scale(output) }
        return try Model(inputs: network.inputs, outputs: output, seed: seed)
    }

    /// The part of a model that this recipe made whose output the head reads.
    public func features(of model: Model) throws(GraftError) -> Model {
        let features =
            try cuts.count > 1 ? model.layer(named: Self.joinedName).output : base.features(at: cut, of: model)
        return try Model(inputs: model.inputs, outputs: features)
    }

    /// A probability for each class, or for the second of two; or a number for each label or measurement. With a penalty it
    /// begins at zero, where the penalty leads: what is left of random weights would only be noise.
    func outputLayer(_ outputs: Int, _ activation: ActivationFunction) -> Dense {
        Dense(
            outputs, activation: activation, kernelInitializer: penalty > 0 ? .zeros : .glorotUniform,
            kernelRegularizer: penalty > 0 ? .l2(penalty) : nil)
    }

    /// Gives the layers of ``Head/Part/standardize`` and ``Head/Part/centered``, where the head has one, the statistics of the
    /// images; what is centered keeps its variance.
    ///
    /// - Throws: as ``GraftModel/Model/adapt(_:to:count:options:)``.
    public func adaptStandardization(of model: Model, to images: any Dataset, options: TrainingOptions) throws {
        for (part, name) in [(Head.Part.standardize, Head.standardizationName), (.centered, Head.centeringName)]
        where head.parts.contains(part) {
            guard let layer = model.layers.first(where: { $0.name == name }) as? Normalization else { continue }
            try model.adapt(layer, to: images, options: options)
            guard part == .centered else { continue }
            let weights = layer.weights
            try layer.setWeights([weights[0], Tensor(repeating: 1, shape: weights[1].shape), weights[2]])
        }
    }
}
