import Graft

/// The layers of `--head`, such as `flatten,dense:1024:relu,dropout:0.2`; the output layer follows from the classes.
struct HeadSpecification: Equatable {
    /// One layer.
    enum Token: Equatable {
        case flatten
        case averagePool
        case maxPool
        case dense(units: Int, activation: ActivationFunction)
        case dropout(rate: Double)
        case batchNormalization
        case standardize
    }

    /// In order, from the cut to the output layer.
    let tokens: [Token]

    /// The forms that a token may take, for messages and help.
    static let forms =
        "flatten, average-pool, max-pool, dense:UNITS[:ACTIVATION], dropout:RATE, batch-normalization, "
        + "standardize"

    /// The most weights of a layer: as 32-bit numbers, 8 GB.
    private static let maximumWeightCount = 1 << 31

    /// Reads a list of tokens separated by commas.
    init(_ text: String) throws(GraftError) {
        var tokens: [Token] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            tokens.append(try Self.token(part.trimmingPrefix { $0 == " " }))
        }
        self.tokens = tokens
    }

    private static func token(_ text: Substring) throws(GraftError) -> Token {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("flatten", 1): return .flatten
        case ("average-pool", 1): return .averagePool
        case ("max-pool", 1): return .maxPool
        case ("batch-normalization", 1): return .batchNormalization
        case ("standardize", 1): return .standardize
        case ("dense", 2...3):
            guard let units = Int(parts[1]), units > 0, units <= 1 << 20 else {
                throw invalid(text, "the units must be a whole number from 1 to 1048576")
            }
            let name = parts.count == 3 ? parts[2] : "linear"
            guard let activation = ActivationFunction(kerasName: name) else {
                let names = ActivationFunction.allCases.map(\.rawValue).joined(separator: ", ")
                throw invalid(text, "the activation must be one of \(names)")
            }
            return .dense(units: units, activation: activation)
        case ("dropout", 2):
            guard let rate = Double(parts[1]), rate >= 0, rate < 1 else {
                throw invalid(text, "the rate must be at least 0 and less than 1")
            }
            return .dropout(rate: rate)
        default: throw invalid(text, "the forms are \(forms)")
        }
    }

    private static func invalid(_ text: Substring, _ reason: String) -> GraftError {
        GraftError(.argument, "--head: '\(text)' is not a layer: \(reason)")
    }

    /// Adds the layers on top of a value.
    ///
    /// - Parameter groups: the numbers of features that come from one layer each, where they come from several.
    /// - Throws: `GraftError` where a layer does not fit, where what comes out is no vector, and where a dense layer would
    ///   have more weights than any machine has use for.
    func apply(to features: SymbolicTensor, groups: [Int] = []) throws -> SymbolicTensor {
        let hidden = try tokens.reduce(features) { features, token in
            if token == .standardize { return try Self.standardized(features, groups) }
            if case .dense(let units, _) = token { try Self.checkSize(inputs: features.shape.last, units: units) }
            return try Self.layer(token)(features)
        }
        guard hidden.shape.rank == 1 else {
            throw GraftError(
                .argument,
                "--head: what reaches the output layer has the shape \(hidden.shape), and it takes a vector; "
                    + "begin the head with flatten, average-pool or max-pool")
        }
        return hidden
    }

    private static func checkSize(inputs: Int, units: Int) throws(GraftError) {
        let (count, overflow) = inputs.multipliedReportingOverflow(by: units)
        guard overflow || count > maximumWeightCount else { return }
        throw GraftError(
            .argument,
            "--head: dense:\(units) on \(inputs.grouped) numbers has more than \(maximumWeightCount.grouped) weights; "
                + "use fewer units, or average-pool in place of flatten")
    }

    private static func layer(_ token: Token) -> Layer {
        switch token {
        case .flatten: Flatten()
        case .averagePool: GlobalAveragePooling2D()
        case .maxPool: GlobalMaxPooling2D()
        case .dense(let units, let activation): Dense(units, activation: activation)
        case .dropout(let rate): Dropout(rate)
        case .batchNormalization: BatchNormalization()
        case .standardize: standardization()
        }
    }

    private static func standardization() -> Normalization { Normalization(name: standardizationName) }

    /// The name of the layer that has to be adapted to the images.
    static let standardizationName = "standardize"

    /// Each feature with mean 0 and variance 1 over the training images; where they come from several layers, each layer
    /// then counts alike, however many features it has.
    private static func standardized(_ features: SymbolicTensor, _ groups: [Int]) throws -> SymbolicTensor {
        let standardized = try standardization()(features)
        guard groups.count > 1, groups.reduce(0, +) == features.shape.last else { return standardized }
        let share = Double(features.shape.last) / Double(groups.count)
        let scales = groups.flatMap { size in [Double](repeating: (share / Double(size)).squareRoot(), count: size) }
        return try Rescaling(scale: .channels(scales), name: "balance")(standardized)
    }
}
