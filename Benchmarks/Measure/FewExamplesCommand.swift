import ArgumentParser
import Graft

/// How well a head does that learned from one to a few images of each class, over many draws of them.
struct FewExamplesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "few-examples",
        abstract: "Train a head on a few images a class, many times, and print the accuracies on the others.",
        discussion: """
            The images of each class are shuffled by the draw's number; the first are trained on. What is measured on are the \
            images of the part `test` or `validation`, where the folder has one, else others of the same classes. Pocket's features \
            of all images are computed once; then a frozen layer that changes nothing stands for the base, so that heads and \
            features are those of `graft train`.
            """)

    @Argument(help: "The folder of images.")
    var images: String

    @Option(help: "Images of each class to train on.", transform: { $0.split(separator: ",").compactMap { Int($0) } })
    var shots: [Int] = [1, 2, 3, 4, 5]

    @Option(help: "How many draws there are.")
    var draws = 20

    @Option(help: "The most images of each class to measure on, where the folder has no part for it.")
    var measured = 20

    @Option(help: "The most classes, the first by name.")
    var classes = 20

    @Option(help: "The head; the base's usual one if not given.")
    var head: String?

    @Option(help: "What is done to kept features.", transform: { try FeatureAugmentation($0) })
    var featureAugment: FeatureAugmentation?

    @Option(help: "How many threads compute; all cores if not given.")
    var threads: Int?

    func run() throws {
        var recipe = TrainingRecipe(head: try head.map { try Head($0) })
        recipe.featureAugmentation = featureAugment
        let features = try FeatureSet(images, recipe, classes: classes, threads: threads)
        for count in shots {
            let accuracies = try (0..<draws).map { draw in
                recipe.seed = UInt64(draw)
                let (training, others) = features.split(count: count, measured: measured, draw: draw)
                return try features.accuracy(recipe, training: training, measured: others)
            }
            let mean = accuracies.reduce(0, +) / Double(draws)
            let variance = accuracies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(draws - 1, 1))
            let list = accuracies.map { "\($0)" }.joined(separator: ",")
            print(
                "{\"shots\":\(count),\"mean\":\(mean),\"deviation\":\(variance.squareRoot()),\"accuracies\":[\(list)]}")
        }
    }
}

/// The features of all images of a folder, and their classes.
private struct FeatureSet {
    let names: [String]
    /// Those that draws are made of, and those to measure on, where they have a part of their own.
    let training: (features: Tensor, labels: [Int])
    let other: (features: Tensor, labels: [Int])?
    let options: TrainingOptions

    init(_ path: String, _ recipe: TrainingRecipe, classes: Int, threads: Int?) throws {
        let folder = try ImageFolder(at: path, rule: recipe.rule, threads: threads)
        names = Array(folder.classNames.prefix(classes))
        var options = TrainingOptions(features: .temporary, threads: threads)
        options.featureAugmentation = recipe.featureAugmentation
        self.options = options
        let network = try recipe.network()
        let count = names.count
        func features(_ images: ImageDataset) throws -> (Tensor, [Int]) {
            let chosen = zip(images.paths, images.labels).filter { $0.1 < count }
            let files = try ImageFiles(paths: chosen.map(\.0), rule: recipe.rule, threads: threads)
            let predictions = try network.predict(files, options: TrainingOptions(threads: threads))
            return (predictions.outputs[0], predictions.indices.map { chosen[$0].1 })
        }
        training = try features(folder.training)
        other = try (folder.test ?? folder.validation).map(features)
    }

    /// The rows of a draw, and those that it is measured on, of the same tensor where there is no other part.
    func split(count: Int, measured: Int, draw: Int) -> (training: [Int], others: [Int]) {
        var (chosen, rest) = ([Int](), [Int]())
        for label in names.indices {
            var random = SplitMix(state: UInt64(1_000_003 * draw + label))
            let shuffled = training.labels.indices.filter { training.labels[$0] == label }.shuffled(using: &random)
            chosen += shuffled.prefix(count)
            rest += shuffled.dropFirst(count).prefix(measured)
        }
        return (chosen, other.map { Array($0.labels.indices) } ?? rest)
    }

    func accuracy(_ recipe: TrainingRecipe, training rows: [Int], measured others: [Int]) throws -> Double {
        let width = training.features.shape[1]
        let input = Input(shape: [width])
        let same = Dense(width, useBias: false, name: recipe.cut)
        let network = try Model(inputs: input, outputs: same(input))
        var identity = [Float](repeating: 0, count: width * width)
        for place in 0..<width { identity[place * (width + 1)] = 1 }
        try same.setWeights([Tensor(identity, shape: [width, width])])
        network.freeze()
        let model = try recipe.model(on: network, classNames: names)
        let examples = try dataset(training, rows)
        try recipe.adaptStandardization(of: model, to: examples, options: TrainingOptions(threads: options.threads))
        try model.compile(
            optimizer: recipe.optimizer.optimizer(
                learningRate: .constant(recipe.learningRate), settings: OptimizerSettings()),
            loss: .classification(outputs: model.output.shape.last), metrics: [.accuracy])
        try model.fit(
            examples, batchSize: recipe.batchSize, epochs: recipe.phases(imageCount: rows.count)[0].epochs,
            seed: recipe.seed, options: options)
        let measured = try model.evaluate(
            dataset(other ?? training, others), options: TrainingOptions(threads: options.threads))
        return measured.figures["accuracy"] ?? .nan
    }

    private func dataset(_ part: (features: Tensor, labels: [Int]), _ rows: [Int]) throws -> ArrayDataset {
        let width = part.features.shape[1]
        let values = part.features.withUnsafeBuffer { source in
            rows.flatMap { row in source[(row * width)..<((row + 1) * width)] }
        }
        return try ArrayDataset(
            inputs: Tensor(values, shape: [rows.count, width]),
            targets: Tensor(rows.map { Float(part.labels[$0]) }, shape: [rows.count]), classNames: names)
    }
}

/// Steele et al., doi:10.1145/2660193.2660195.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
