import Graft

/// Makes the network that `train` and `find-learning-rate` train: a frozen base cut at a layer, a head, and the output
/// layer that follows from the classes.
struct ClassifierBuilder {
    let base: Base
    var choice: BaseChoice
    let head: String
    let seed: UInt64

    init(network: NetworkOptions, head: String, seed: UInt64) throws {
        base = try Base.named(network.base)
        (choice, self.head, self.seed) = (network.source.choice, head, seed)
    }

    /// How pictures are brought to the network's size.
    var rule: ImageRule {
        let size = choice.inputSize ?? base.defaultSize
        return ImageRule(height: size, width: size, resize: choice.resize ?? .keras)
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
        let hidden = try HeadSpecification(head).apply(to: features)
        let outputLayer =
            classNames.count == 2
            ? Dense(1, activation: .sigmoid) : Dense(classNames.count, activation: .softmax)
        let model = try Model(inputs: network.input, outputs: outputLayer(hidden), seed: seed)
        model.metadata = ModelMetadata(classNames: classNames, image: rule)
        let preprocessing = choice.preprocessing?.preprocessing(of: base) ?? base.preprocessing
        console.say("\(base.title) cut at \(cut), on pixels as \(preprocessing.formula)")
        let trainable = model.trainableParameterCount.grouped
        console.say("\(model.countParameters().grouped) parameters, \(trainable) of them trainable")
        return model
    }
}

extension Model {
    /// The numbers that training changes.
    var trainableParameterCount: Int { trainableVariables.reduce(0) { $0 + $1.shape.elementCount } }
}
