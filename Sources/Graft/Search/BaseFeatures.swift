import GraftGraph
import GraftLearning
import GraftModel
import GraftTraining

/// All cuts of a base in one model: its outputs are the pooled features of each.
struct BaseCuts {
    /// One output.
    struct Output: Hashable {
        let cut: String
        /// `nil` for a cut that puts out a vector.
        let pooling: SearchFeatures.Pooling?
    }

    let model: Model
    let outputs: [Output]
    /// The parameters up to each cut.
    let parameterCounts: [String: Int]

    /// The usual cuts of a recipe's base.
    init(of recipe: TrainingRecipe, _ network: Model) throws {
        var (tensors, outputs, counts) = ([SymbolicTensor](), [Output](), [String: Int]())
        for cut in recipe.base.cuts {
            let output = try recipe.base.features(at: cut, of: network)
            counts[cut] = try Model(inputs: network.inputs, outputs: output).countParameters()
            guard output.shape.rank > 1 else {
                tensors.append(output)
                outputs.append(Output(cut: cut, pooling: nil))
                continue
            }
            for pooling in SearchFeatures.Pooling.allCases {
                let layer: Layer =
                    switch (pooling, output.shape.rank) {
                    case (.average, 2): GlobalAveragePooling1D()
                    case (.average, _): GlobalAveragePooling2D()
                    case (.max, 2): GlobalMaxPooling1D()
                    case (.max, _): GlobalMaxPooling2D()
                    }
                tensors.append(try layer(output))
                outputs.append(Output(cut: cut, pooling: pooling))
            }
        }
        model = try Model(inputs: network.inputs, outputs: tensors)
        (self.outputs, parameterCounts) = (outputs, counts)
    }
}

/// What a base makes of the images that are judged on.
struct BaseFeatures {
    let recipe: TrainingRecipe
    let cuts: BaseCuts
    /// Output by output, image by image.
    let rows: [[Float]]
    let widths: [Int]
    let secondsPerImage: Double

    /// Features on their scale, and how many of them come from one layer each.
    struct Scaled {
        let values: [Float]
        let width: Int
        let groups: [Int]
    }

    /// The kinds of features that are worth a look, but for their scale: each cut in each pooling, and all maps' averages
    /// together where the base has no such features of its own.
    var kinds: [(cuts: [String], pooling: SearchFeatures.Pooling?)] {
        let single = cuts.outputs.map { (cuts: [$0.cut], pooling: $0.pooling) }
        let maps = cuts.outputs.filter { $0.pooling == .average }.map(\.cut)
        let hasOwn = !recipe.base.featureGroups.isEmpty
        var joined: [[String]] = []
        if maps.count > 1 { joined.append(Array(maps.suffix(2))) }
        if maps.count > 2, !hasOwn { joined.append(maps) }
        return single + joined.map { (cuts: $0, pooling: .average) }
    }

    /// The features of some cuts, pooled and joined.
    ///
    /// - Throws: `GraftError` with code `argument` where the base was not asked for one of them.
    func joined(_ features: SearchFeatures) throws(GraftError) -> Scaled {
        var places: [Int] = []
        for cut in features.cuts {
            let place = cuts.outputs.firstIndex {
                $0.cut == cut && ($0.pooling == nil || $0.pooling == features.pooling)
            }
            guard let place else {
                let known = cuts.outputs.map(\.cut).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
                throw GraftError(
                    .argument,
                    "candidates: \(features) is not among what the search computes of \(features.base): the cuts "
                        + "\(known.joined(separator: ", ")), maps of them pooled by average or max")
            }
            places.append(place)
        }
        let width = places.reduce(0) { $0 + widths[$1] }
        let isOwn = features.cuts == [recipe.base.defaultCut]
        let groups = places.count > 1 ? places.map { widths[$0] } : isOwn ? recipe.base.featureGroups : []
        guard places.count > 1 else { return Scaled(values: rows[places[0]], width: width, groups: groups) }
        let count = rows[places[0]].count / max(widths[places[0]], 1)
        var values: [Float] = []
        values.reserveCapacity(count * width)
        for image in 0..<count {
            for place in places { values += rows[place][(image * widths[place])..<((image + 1) * widths[place])] }
        }
        return Scaled(values: values, width: width, groups: groups)
    }
}

extension BaseFeatures.Scaled {
    /// On a common scale, as the layers of ``Head/Part/standardize`` and ``Head/Part/centered`` bring them to.
    func scaled(_ scaling: SearchFeatures.Scaling) -> BaseFeatures.Scaled {
        let count = values.count / max(width, 1)
        var statistics = FeatureStatistics(width: width)
        statistics.add(Tensor(values, shape: [count, width]))
        let means = statistics.means.map { Float($0) }
        var result = values
        switch scaling {
        case .standardize:
            let factors = zip(statistics.variances(atLeast: 0.01), shares).map { Float($1 / $0.squareRoot()) }
            for image in 0..<count {
                for place in 0..<width {
                    let index = image * width + place
                    result[index] = (values[index] - means[place]) * factors[place]
                }
            }
        case .centered:
            for image in 0..<count {
                var square: Float = 0
                for place in 0..<width {
                    let value = values[image * width + place] - means[place]
                    result[image * width + place] = value
                    square += value * value
                }
                let factor = Float(width).squareRoot() / max(square.squareRoot(), 1e-6)
                for place in 0..<width { result[image * width + place] *= factor }
            }
        }
        return BaseFeatures.Scaled(values: result, width: width, groups: groups)
    }

    /// What each feature is multiplied with, so that each layer has the same share of the squared length.
    private var shares: [Double] {
        guard groups.count > 1, groups.reduce(0, +) == width else { return [Double](repeating: 1, count: width) }
        let share = Double(width) / Double(groups.count)
        return groups.flatMap { size in [Double](repeating: (share / Double(size)).squareRoot(), count: size) }
    }
}
