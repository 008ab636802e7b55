import GraftDigest
import GraftGraph
import GraftImages
import GraftLearning
import GraftTraining

/// Whether new images, which need no labels, look like those that a model was judged on.
///
/// Properties of files and colours, how sure the model is, how unlike training the images are and the principal components of its
/// features are compared one by one, by the Mann–Whitney and the Kolmogorov–Smirnov test; and a linear probe of the features that has
/// not seen an image is asked which group it is of. With `m` comparisons one is taken for a change where its probability is below
/// `level / m` (Bonferroni), so that of images from one source at most a share of ``level`` is called changed.
///
/// Source: Rabanser, Günnemann and Lipton, "Failing loudly: an empirical study of methods for detecting dataset shift"
/// (arXiv:1810.11953): tests of single dimensions with Bonferroni's correction, and classifiers of the two groups.
public struct Drift: Sendable {
    /// One comparison.
    public struct Measure: Sendable {
        /// What is compared: a property's name, `confidence`, `distance`, `component_1`, `probe`.
        public let name: String
        /// The same for people.
        public let title: String
        /// The chance of such a difference between images of one source: the smaller of both tests' times two; of the probe that of
        /// telling new images apart so well.
        public let probability: Double
        /// The chance that a new image has more of it than an old one: 0.5 where they do not differ.
        public let areaUnderCurve: Double
        /// Of the old images and of the new ones.
        public let medians: (old: Double, new: Double)
    }

    /// How many images are compared.
    public let counts: (old: Int, new: Int)
    /// All comparisons, the least likely first.
    public let measures: [Measure]
    /// The share of old images and of new ones that the model calls each class, by the number of the class.
    public let predictedShares: [(old: Double, new: Double)]
    /// How many old and new images are unlike anything in training; `nil` where the model does not know.
    public let unlike: (old: Proportion, new: Proportion)?
    /// The new images that are most unlike training, or that the model is least sure of where it does not know.
    public let strangest: [String]
    /// The new images that could not be read.
    public let failures: [ExampleFailure]

    /// The share of comparisons of one source that are called changed, at most.
    public static let level = 0.05
    /// The fewest images of each group that are compared.
    public static let leastCount = 20

    /// What has changed, the least likely first.
    public var changes: [Measure] {
        measures.filter { $0.probability < Self.level / Double(measures.count) }
    }
    /// Whether anything has.
    public var isFound: Bool { !changes.isEmpty }
}

extension Drift {
    /// What is known of a group of images.
    struct Group {
        let paths: [String]
        let probabilities: ClassProbabilities
        let features: Tensor
        let properties: [ImageProperties?]
    }

    private static let componentCount = 8
    private static let strangestCount = 12

    init(_ old: Group, _ new: Group, _ calibration: ClassifierCalibration?, failures: [ExampleFailure]) throws {
        self.failures = failures
        counts = (old.paths.count, new.paths.count)
        let confidences = [old, new].map { group in group.paths.indices.map(group.probabilities.confidence) }
        let distances = [old, new].map { calibration?.distance?($0.features) ?? [] }
        var measures = ImageProperties.Kind.allCases.map { kind in
            Measure(
                kind.rawValue, kind.title, old.properties.compactMap { $0?.values[kind] },
                new.properties.compactMap { $0?.values[kind] })
        }
        measures.append(Measure("confidence", "how sure the model is", confidences[0], confidences[1]))
        if let calibration, calibration.distance != nil {
            measures.append(Measure("distance", "distance to the images of training", distances[0], distances[1]))
            let far = distances.map { group in
                Proportion(group.count { $0 > calibration.farthest }, of: group.count)
            }
            unlike = (far[0], far[1])
        } else {
            unlike = nil
        }
        let all = old.features.appendingRows(of: new.features)
        let scaled = Standardization(of: all)(all)
        measures += Self.components(of: scaled, split: counts.old)
        measures.append(try Self.probe(of: scaled, paths: old.paths + new.paths, split: counts.old))
        self.measures = measures.sorted { ($0.probability, $0.name) < ($1.probability, $1.name) }
        let shares = [old, new].map { group in
            group.paths.indices.reduce(into: [Double](repeating: 0, count: group.probabilities.classCount)) {
                $0[group.probabilities.best($1)] += 1 / Double(group.paths.count)
            }
        }
        predictedShares = zip(shares[0], shares[1]).map { ($0, $1) }
        let strangeness = distances[1].isEmpty ? confidences[1].map { -$0 } : distances[1]
        strangest = new.paths.indices.sorted { (strangeness[$1], new.paths[$0]) < (strangeness[$0], new.paths[$1]) }
            .prefix(Self.strangestCount).map { new.paths[$0] }
    }

    private static func components(of features: Tensor, split: Int) -> [Measure] {
        let found = PrincipalComponents(of: features, count: min(componentCount, features.shape.last))
        return found.shares.indices.map { place in
            let values = found.coordinates.map { $0[place] }
            return Measure(
                "component_\(place + 1)", "principal component \(place + 1) of the features",
                Array(values[..<split]), Array(values[split...]))
        }
    }

    /// What ridge regression says of each image that learned from other images only: −1 is old, 1 is new. Each fold has both groups'
    /// shares, as a fold with more of one leaves less of it to learn from; and only new images that are told apart count, as what
    /// is left out turns chance to the other side.
    private static func probe(of features: Tensor, paths: [String], split: Int) throws -> Measure {
        let count = paths.count
        func order(_ rows: Range<Int>) -> [Int] {
            let digests = rows.map { SHA256.hash(Array(paths[$0].utf8)) }
            return rows.sorted {
                digests[$0 - rows.lowerBound].lexicographicallyPrecedes(digests[$1 - rows.lowerBound])
            }
        }
        var folds = [[Int]](repeating: [], count: 5)
        for rows in [0..<split, split..<count] {
            for (place, row) in order(rows).enumerated() { folds[place % folds.count].append(row) }
        }
        let ridge = try HeldOutRidge(
            features: features.withUnsafeBuffer { Array($0) }, width: features.shape.last,
            targets: (0..<count).map { $0 < split ? -1 : 1 }, folds: folds)
        let said = try ridge.predictions(penalties: [Double(count)])[0]
        return Measure(
            "probe", "the network's features as a whole", Array(said[..<split]), Array(said[split...]), tellsApart: true
        )
    }
}

extension Drift.Measure {
    /// - Parameter tellsApart: whether new images are to have more of it, so that one side is tested, by ranks.
    fileprivate init(_ name: String, _ title: String, _ old: [Double], _ new: [Double], tellsApart: Bool = false) {
        let ranks = RankStatistics(new, old)
        (self.name, self.title, areaUnderCurve) = (name, title, ranks.areaUnderCurve)
        if tellsApart {
            probability = ranks.areaUnderCurve > 0.5 ? ranks.probability / 2 : 1
        } else {
            probability = min(2 * min(ranks.probability, KolmogorovSmirnov(old, new).probability), 1)
        }
        medians = (old.isEmpty ? 0 : old.sorted()[old.count / 2], new.isEmpty ? 0 : new.sorted()[new.count / 2])
    }
}
