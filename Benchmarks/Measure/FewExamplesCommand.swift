import ArgumentParser
import Graft

/// How well a classifier does that learned from one to a few images of each class, over many draws of them.
struct FewExamplesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "few-examples",
        abstract: "Train on a few images a class, many times, and print the accuracies on the others.",
        discussion: """
            The images of each class are shuffled by the draw's number; the first are trained on. What is measured on are the \
            images of the part `validation` or `test`, where the folder has one, else those that no draw of this size trains on \
            first. Features are kept, so that the base runs once for each image.
            """)

    @Argument(help: "The folder of images.")
    var images: String

    @Option(help: "Images of each class to train on.", transform: { $0.split(separator: ",").compactMap { Int($0) } })
    var shots: [Int] = [1, 2, 3, 4, 5]

    @Option(help: "How many draws there are.")
    var draws = 20

    @Option(help: "The most images of each class to measure on.")
    var measured = 50

    @Option(help: "The most classes, the first by name.")
    var classes = 20

    @Option(help: "The head; the base's usual one if not given.")
    var head: String?

    @Option(help: "What is done to kept features.", transform: { try FeatureAugmentation($0) })
    var featureAugment: FeatureAugmentation?

    @Option(help: "How views differ from their images.", transform: { try Augmentation($0) })
    var augment: Augmentation?

    @Option(help: "How many threads compute; all cores if not given.")
    var threads: Int?

    func run() throws {
        var recipe = TrainingRecipe(head: try head.map { try Head($0) })
        (recipe.featureAugmentation, recipe.augmentation) = (featureAugment, augment)
        let folder = try ImageFolder(at: images, rule: recipe.rule, threads: threads)
        for count in shots {
            var accuracies: [Double] = []
            for draw in 0..<draws {
                recipe.seed = UInt64(draw)
                let (training, validation) = try split(folder, recipe.rule, count: count, draw: draw)
                accuracies.append(try accuracy(recipe, training, validation))
            }
            let mean = accuracies.reduce(0, +) / Double(draws)
            let variance = accuracies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(draws - 1, 1))
            let list = accuracies.map { "\($0)" }.joined(separator: ",")
            print(
                "{\"shots\":\(count),\"mean\":\(mean),\"deviation\":\(variance.squareRoot()),\"accuracies\":[\(list)]}")
        }
    }

    /// The images of a draw, and what it is measured on.
    private func split(
        _ folder: ImageFolder, _ rule: ImageRule, count: Int, draw: Int
    ) throws -> (ImageDataset, ImageDataset) {
        let names = Array(folder.classNames.prefix(classes))
        var (training, rest) = ([(String, Int)](), [(String, Int)]())
        for label in names.indices {
            let paths = zip(folder.training.paths, folder.training.labels).filter { $0.1 == label }.map(\.0)
            var random = SplitMix(state: UInt64(1_000_003 * draw + label))
            let shuffled = paths.shuffled(using: &random)
            training += shuffled.prefix(count).map { ($0, label) }
            rest += shuffled.dropFirst(count).prefix(measured).map { ($0, label) }
        }
        if let other = folder.test ?? folder.validation { rest = Array(zip(other.paths, other.labels)) }
        func dataset(_ images: [(String, Int)]) throws -> ImageDataset {
            try ImageDataset(
                paths: images.map(\.0), labels: images.map(\.1), classNames: names, rule: rule, threads: threads)
        }
        return (try dataset(training), try dataset(rest))
    }

    private func accuracy(
        _ recipe: TrainingRecipe, _ training: ImageDataset, _ validation: ImageDataset
    ) throws -> Double {
        let images = ImageFolder(
            classNames: training.classNames ?? [], training: training, validation: validation)
        let run = try ClassifierTraining(on: images, recipe, options: TrainingOptions(threads: threads))
        _ = try run.run()
        return run.outcome.last("val_accuracy") ?? .nan
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
