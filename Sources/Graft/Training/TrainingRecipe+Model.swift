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
                weights: weights, includeTop: false, inputShape: [inputSize, inputSize, 3],
                preprocessing: preprocessing, seed: seed))
        network.freeze()
        return network
    }

    /// The base with the head and an output layer for these classes on top. The base's own layers are part of it.
    ///
    /// - Parameter network: what ``network()`` gave.
    /// - Throws: `GraftError` with code `argument` where the base has no layer of the cut's name, or the head does not fit.
    public func model(on network: Model, classNames: [String]) throws(GraftError) -> Model {
        guard penalty >= 0, penalty.isFinite else {
            throw GraftError(.argument, "penalty: it must be 0 or more, and is \(penalty)")
        }
        let features = try base.layer(atCut: cut, of: network).output
        let hidden = try head(features, groups: cut == base.defaultCut ? base.featureGroups : [])
        let model = try Model(
            inputs: network.input, outputs: outputLayer(classes: classNames.count)(hidden), seed: seed)
        model.metadata = ModelMetadata(classNames: classNames, inputRule: .image(rule))
        return model
    }

    /// The part of a model that this recipe made whose output the head reads.
    public func features(of model: Model) throws(GraftError) -> Model {
        try Model(inputs: model.input, outputs: model.layer(named: cut).output)
    }

    /// A probability for each class, or for the second of two. With a penalty it begins at zero, where the penalty leads: what
    /// is left of random weights would only be noise.
    private func outputLayer(classes: Int) -> Dense {
        Dense(
            classes == 2 ? 1 : classes, activation: classes == 2 ? .sigmoid : .softmax,
            kernelInitializer: penalty > 0 ? .zeros : .glorotUniform,
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
