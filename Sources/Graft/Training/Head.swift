import GraftModel

/// The layers between a base's features and the output layer, which follows from the classes.
///
/// ```swift
/// let head: Head = [.flatten, .dense(1024, activation: .relu), .dropout(0.2)]
/// let same = try Head("flatten,dense:1024:relu,dropout:0.2")
/// ```
public struct Head: Sendable, Hashable {
    /// A layer of a head.
    public enum Part: Sendable, Hashable {
        /// ``GraftModel/Flatten``.
        case flatten
        /// ``GraftModel/GlobalAveragePooling2D``, of tokens ``GraftModel/GlobalAveragePooling1D``.
        case averagePool
        /// ``GraftModel/GlobalMaxPooling2D``, of tokens ``GraftModel/GlobalMaxPooling1D``.
        case maxPool
        /// ``GraftModel/Dense`` with so many units.
        case dense(_ units: Int, activation: ActivationFunction = .linear)
        /// ``GraftModel/Dropout`` of this rate.
        case dropout(_ rate: Double)
        /// ``GraftModel/BatchNormalization``.
        case batchNormalization
        /// ``GraftModel/Normalization``, adapted to the training images: each feature has mean 0 and variance 1. Where
        /// features come from several layers, each layer then counts alike, however many features it has.
        case standardize
        /// The features less their mean over the training images, brought to the same length, the root of their number: what
        /// does best on a few images of a class, where a variance for each feature cannot be told. Features of several layers
        /// count by their size. ``GraftModel/Normalization`` with variance 1, ``GraftModel/UnitNormalization`` and
        /// ``GraftModel/Rescaling``. Source: Wang et al., "SimpleShot: Revisiting nearest-neighbor classification for few-shot
        /// learning", arXiv:1911.04623.
        case centered
    }

    /// In order, from the features to the output layer.
    public var parts: [Part]

    /// A head of these layers.
    public init(_ parts: [Part]) { self.parts = parts }

    /// The layer of ``Part/standardize`` has this name, so that it is found when the images are there.
    static let standardizationName = "standardize"
    /// That of ``Part/centered``.
    static let centeringName = "center"

    /// The most weights of a layer: as 32-bit numbers, 8 GB.
    private static let maximumWeightCount = 1 << 31

    /// Adds the layers on top of a value.
    ///
    /// - Parameters:
    ///   - features: what the base puts out.
    ///   - groups: the numbers of features that come from one layer each, where they come from several.
    /// - Throws: `GraftError` with code `argument` where what comes out is no vector, and where a dense layer would have more
    ///   weights than any machine has use for; `shape` where a layer does not fit.
    public func callAsFunction(
        _ features: SymbolicTensor, groups: [Int] = []
    ) throws(GraftError) -> SymbolicTensor {
        var hidden = features
        for part in parts { hidden = try Self.apply(part, to: hidden, groups) }
        guard hidden.shape.rank == 1 else {
            throw GraftError(
                .argument,
                "head: what reaches the output layer has the shape \(hidden.shape), and it takes a vector; "
                    + "begin the head with flatten, average-pool or max-pool")
        }
        return hidden
    }

    private static func apply(
        _ part: Part, to features: SymbolicTensor, _ groups: [Int]
    ) throws(GraftError) -> SymbolicTensor {
        switch part {
        case .flatten: return try Flatten()(features)
        // The tokens of a transformer lie along one axis.
        case .averagePool where features.shape.rank == 2: return try GlobalAveragePooling1D()(features)
        case .maxPool where features.shape.rank == 2: return try GlobalMaxPooling1D()(features)
        case .averagePool: return try GlobalAveragePooling2D()(features)
        case .maxPool: return try GlobalMaxPooling2D()(features)
        case .dense(let units, let activation):
            try checkSize(inputs: features.shape.last, units: units)
            return try Dense(units, activation: activation)(features)
        case .dropout(let rate): return try Dropout(rate)(features)
        case .batchNormalization: return try BatchNormalization()(features)
        case .standardize: return try standardized(features, groups)
        case .centered: return try centered(features)
        }
    }

    private static func checkSize(inputs: Int, units: Int) throws(GraftError) {
        let (count, overflow) = inputs.multipliedReportingOverflow(by: units)
        guard overflow || count > maximumWeightCount else { return }
        throw GraftError(
            .argument,
            "head: dense:\(units) on \(inputs.grouped) numbers has more than \(maximumWeightCount.grouped) weights; "
                + "use fewer units, or average-pool in place of flatten")
    }

    private static func centered(_ features: SymbolicTensor) throws(GraftError) -> SymbolicTensor {
        guard features.shape.rank == 1 else {
            throw GraftError(
                .argument,
                "head: centered takes a vector, and the features have the shape \(features.shape); begin the head with "
                    + "average-pool or max-pool")
        }
        let centered = try Normalization(name: centeringName)(features)
        let length = Double(features.shape.last).squareRoot()
        return try Rescaling(length, name: "spread")(UnitNormalization(name: "unit")(centered))
    }

    /// A layer with few features would be drowned by one with many: each gets the same share of the squared length.
    private static func standardized(
        _ features: SymbolicTensor, _ groups: [Int]
    ) throws(GraftError) -> SymbolicTensor {
        let standardized = try Normalization(name: standardizationName)(features)
        guard groups.count > 1, groups.reduce(0, +) == features.shape.last else { return standardized }
        let share = Double(features.shape.last) / Double(groups.count)
        let scales = groups.flatMap { size in [Double](repeating: (share / Double(size)).squareRoot(), count: size) }
        return try Rescaling(scale: .channels(scales), name: "balance")(standardized)
    }
}

extension Head: ExpressibleByArrayLiteral {
    /// A head of these layers.
    public init(arrayLiteral parts: Part...) { self.init(parts) }
}
