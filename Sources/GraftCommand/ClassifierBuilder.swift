import Graft

/// Makes the network that `train` and `find-learning-rate` train: a frozen base cut at a layer, a head, and the output
/// layer that follows from the classes.
struct ClassifierBuilder {
    let base: Base
    var choice: BaseChoice
    let head: String
    let seed: UInt64
    /// The factor of the sum of the squares of the output layer's weights, which is added to the loss.
    var penalty: Float = 0

    init(network: NetworkOptions, head: String, seed: UInt64) throws {
        base = try network.named()
        (choice, self.head, self.seed) = (network.source.choice, head, seed)
    }

    /// How pictures are brought to the network's size.
    var rule: ImageRule {
        let size = choice.inputSize ?? base.defaultSize
        return ImageRule(height: size, width: size, resize: choice.resize ?? .keras)
    }

    /// A probability for each class, or for the second of two. With a penalty it begins at zero, where the penalty leads: what
    /// is left of random weights would only be noise.
    private func outputLayer(classes: Int) -> Dense {
        Dense(
            classes == 2 ? 1 : classes, activation: classes == 2 ? .sigmoid : .softmax,
            kernelInitializer: penalty > 0 ? .zeros : .glorotUniform,
            kernelRegularizer: penalty > 0 ? .l2(penalty) : nil)
    }

    /// The part of a network that this builder made whose output the head reads.
    func features(of model: Model) throws -> Model {
        try Model(inputs: model.input, outputs: model.layer(named: choice.cut ?? base.defaultCut).output)
    }

    /// The network for these classes; says what it is.
    func model(classNames: [String], on console: Console) throws -> Model {
        let network = try NetworkSource(name: base.id, choice: choice).model(on: console, seed: seed)
        network.freeze()
        let cut = choice.cut ?? base.defaultCut
        let features = try base.layer(atCut: cut, of: network).output
        let groups = cut == base.defaultCut ? base.featureGroups : []
        let hidden = try HeadSpecification(head).apply(to: features, groups: groups)
        let model = try Model(
            inputs: network.input, outputs: outputLayer(classes: classNames.count)(hidden), seed: seed)
        model.metadata = ModelMetadata(classNames: classNames, inputRule: .image(rule))
        let preprocessing = choice.preprocessing?.preprocessing(of: base) ?? base.preprocessing
        console.say("\(base.title) cut at \(cut), on pixels as \(preprocessing.formula)")
        let trainable = model.trainableParameterCount.grouped
        console.say("\(model.countParameters().grouped) parameters, \(trainable) of them trainable")
        return model
    }
}

extension Model {
    /// Gives the layer that standardizes features, where the head has one, the statistics of the images; a run that goes on
    /// finds them in its checkpoint.
    func adaptStandardization(to images: ImageDataset, options: TrainingOptions) throws {
        let layer = layers.first { $0.name == HeadSpecification.standardizationName }
        guard let normalization = layer as? Normalization else { return }
        try adapt(normalization, to: images, options: options)
    }

    /// The numbers that training changes.
    var trainableParameterCount: Int { trainableVariables.reduce(0) { $0 + $1.shape.elementCount } }
}
