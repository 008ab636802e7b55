import GraftData
import GraftGraph
import GraftImages
import GraftTraining

/// Views of an image that is asked about: the answer is the mean of the probabilities of the image itself and of its views.
public struct TestTimeViews: Sendable, Hashable {
    /// How views differ from their images.
    public var augmentation: Augmentation
    /// How many views there are beside the image itself, 1 or more.
    public var count: Int
    /// What the views follow from besides the files.
    public var seed: UInt64

    /// Views of this kind. Little changes do best, such as `flip,crop:0.7`: what a view hides, nobody can see.
    public init(_ augmentation: Augmentation, count: Int, seed: UInt64 = 0) {
        (self.augmentation, self.count, self.seed) = (augmentation, count, seed)
    }
}

/// Images and their views in one row: image 0, its views, image 1, its views, …
///
/// The image itself is what its rule makes of it; views are drawn as in training.
struct ViewRows: Dataset {
    private let images: any Dataset
    private let views: AugmentedImages
    /// How many rows an image has.
    let width: Int

    init(
        _ files: [String], labels: [Int]?, classNames: [String]?, rule: ImageRule, _ chosen: TestTimeViews,
        threads: Int?
    ) throws {
        if let labels, let classNames {
            let images = try ImageDataset(
                paths: files, labels: labels, classNames: classNames, rule: rule, threads: threads)
            self.images = images
            views = try AugmentedImages(images, chosen.augmentation, views: chosen.count, seed: chosen.seed)
        } else {
            let images = try ImageFiles(paths: files, rule: rule, threads: threads)
            self.images = images
            views = try AugmentedImages(images, chosen.augmentation, views: chosen.count, seed: chosen.seed)
        }
        width = chosen.count + 1
    }

    var count: Int { images.count * width }
    var classNames: [String]? { images.classNames }
    var inputRule: InputRule? { images.inputRule }

    func targets(of indices: [Int]) throws -> [Tensor] { try images.targets(of: indices.map { $0 / width }) }
    func fingerprint(of index: Int) throws -> String? { nil }
    func name(of index: Int) -> String? { images.name(of: index / width) }

    func batch(_ rows: [Int]) throws -> Batch {
        let own = rows.filter { $0 % width == 0 }
        let drawn = rows.filter { $0 % width != 0 }
        let parts = [
            try own.isEmpty ? nil : images.batch(own.map { $0 / width }),
            try drawn.isEmpty ? nil : views.batch(drawn.map { ($0 % width - 1) * images.count + $0 / width }),
        ]
        var result = Batch(indices: [], inputs: [], targets: [])
        for part in parts.compactMap(\.self) {
            result.failures += part.failures.map { failure in
                ExampleFailure(
                    index: failure.index % images.count * width, path: failure.path, message: failure.message)
            }
        }
        let unread = Set(result.failures.map { $0.index / width })
        let read = parts.compactMap(\.self).filter { !$0.indices.isEmpty }
        result.indices = rows.filter { !unread.contains($0 / width) }
        guard let first = read.first else { return result }
        let all = read.dropFirst().reduce(first.inputs[0]) { $0.appendingRows(of: $1.inputs[0]) }
        // Where each row is among those of both parts.
        let order = (own + drawn).filter { !unread.contains($0 / width) }
        let places = Dictionary(zip(order, order.indices)) { first, _ in first }
        result.inputs = [all.rows(result.indices.compactMap { places[$0] })]
        result.targets = try targets(of: result.indices)
        return result
    }
}
