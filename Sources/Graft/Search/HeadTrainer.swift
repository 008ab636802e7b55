import GraftData
import GraftGraph
import GraftModel
import GraftTraining

/// Trains heads on features in memory, by the trainer that trains everything.
struct HeadTrainer {
    let recipe: TrainingRecipe
    let features: BaseFeatures.Scaled
    let labels: [Int]
    let classNames: [String]
    let options: TrainingOptions

    /// - Parameter features: not scaled; the head does that.
    init(
        _ recipe: TrainingRecipe, _ features: BaseFeatures.Scaled, labels: [Int], classNames: [String],
        options: TrainingOptions
    ) {
        (self.recipe, self.features, self.labels, self.classNames) = (recipe, features, labels, classNames)
        var options = options
        (options.features, options.precision, options.featureAugmentation) = (.off, .float32, nil)
        (options.cancellation, options.profiler) = (nil, nil)
        self.options = options
    }

    /// The head trained on some of the images; `nil` where `isStopped` said so before it was done.
    func train(on images: [Int], isStopped: @escaping () -> Bool = { false }) throws -> Model? {
        let model = try recipe.headModel(width: features.width, groups: features.groups, classNames: classNames)
        let examples = try dataset(images)
        try recipe.adaptStandardization(of: model, to: examples, options: options)
        try model.compile(
            optimizer: recipe.optimizer.optimizer(
                learningRate: .constant(recipe.learningRate),
                settings: OptimizerSettings(stateType: recipe.optimizerState)),
            loss: ImageTask.classes.loss(outputs: ImageTask.classes.outputCount(classNames: classNames)))
        let flag = CancellationFlag()
        var options = options
        options.cancellation = flag
        let watching = EventHandler { event in
            if case .step = event, isStopped() { flag.cancel() }
        }
        let history = try model.fit(
            examples, batchSize: recipe.batchSize, epochs: recipe.epochs ?? 10, seed: recipe.seed,
            callbacks: [watching], options: options)
        return history.isInterrupted ? nil : model
    }

    /// How many of some images a head names right.
    func rightCount(_ model: Model, on images: [Int]) throws -> Int {
        guard !images.isEmpty else { return 0 }
        let outputs = try model.predict(dataset(images), batchSize: 256, options: options).outputs
        guard let answers = outputs.first else { return 0 }
        let width = answers.shape.last
        return answers.withUnsafeBuffer { answers in
            images.enumerated().count { place, image in
                let row = answers[(place * width)..<((place + 1) * width)]
                let best = width == 1 ? (row.first.map { $0 > 0.5 ? 1 : 0 } ?? 0) : row.argmax
                return best == labels[image]
            }
        }
    }

    private func dataset(_ images: [Int]) throws -> ArrayDataset {
        var values: [Float] = []
        values.reserveCapacity(images.count * features.width)
        for image in images {
            values += features.values[(image * features.width)..<((image + 1) * features.width)]
        }
        return try ArrayDataset(
            inputs: Tensor(values, shape: [images.count, features.width]),
            targets: Tensor(images.map { Float(labels[$0]) }, shape: [images.count]), classNames: classNames)
    }

    /// The whole network with the weights of a trained head on top.
    ///
    /// - Parameters:
    ///   - head: what ``train(on:isStopped:)`` gave.
    ///   - network: what the recipe's ``TrainingRecipe/network()`` gave.
    func whole(_ head: Model, on network: Model) throws -> Model {
        let model = try recipe.model(on: network, classNames: classNames)
        let own = Set(network.layers.map { ObjectIdentifier($0) })
        let added = model.layers.filter { !own.contains(ObjectIdentifier($0)) && !$0.variables.isEmpty }
        let trained = head.layers.filter { !$0.variables.isEmpty }
        guard added.count == trained.count else {
            throw GraftError(
                .state, "the head has \(trained.count) layers with weights, and \(added.count) on the network")
        }
        for (layer, source) in zip(added, trained) { try layer.setWeights(source.weights) }
        return model
    }
}

extension RandomAccessCollection where Element == Float, Index == Int {
    /// The place of the largest, from 0; of equal ones the first.
    fileprivate var argmax: Int {
        var best = startIndex
        for index in indices where self[index] > self[best] { best = index }
        return best - startIndex
    }
}
