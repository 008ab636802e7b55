import GraftModel

/// What a head reads of a network: one layer, or several whose features are pooled and joined.
struct HeadInput {
    /// What the first layer of ``head`` is called on.
    let features: SymbolicTensor
    /// The head without what is done already.
    let head: Head
    /// The numbers of features that come from one layer each, where they come from several.
    let groups: [Int]
}

extension TrainingRecipe {
    /// The layer that joins the features of several cuts has this name.
    static let joinedName = "cuts"

    /// The layers that ``cut`` names: one, or several with `+` between them, such as `mixed5+mixed7`.
    public var cuts: [String] { cut.split(separator: "+", omittingEmptySubsequences: false).map(String.init) }

    /// What the head reads of a network.
    ///
    /// Of several cuts each is pooled as the head begins, `average-pool` or `max-pool`, and the vectors are joined in the order
    /// of the cuts (Evci et al., "Head2Toe", arXiv:2201.03529, reads all layers so).
    ///
    /// - Throws: `GraftError` with code `argument` where the base has no layer of a name, where one is named twice, and where the
    ///   head of several cuts does not begin with a pooling.
    func headInput(on network: Model) throws(GraftError) -> HeadInput {
        guard cuts.count > 1 else {
            return HeadInput(
                features: try base.features(at: cut, of: network), head: head,
                groups: cut == base.defaultCut ? base.featureGroups : [])
        }
        guard Set(cuts).count == cuts.count else {
            throw GraftError(.argument, "cut: \(cut) names a layer twice; name each once")
        }
        guard let pooling = head.pooling else {
            throw GraftError(
                .argument,
                "head: of several cuts (\(cut)) each is pooled before they are joined; begin the head with average-pool or "
                    + "max-pool, not \(head)")
        }
        var pooled: [SymbolicTensor] = []
        for cut in cuts {
            let output = try base.features(at: cut, of: network)
            pooled.append(try output.shape.rank == 1 ? output : Head([pooling])(output))
        }
        return HeadInput(
            features: try Concatenate(name: Self.joinedName)(pooled), head: head.withoutPooling,
            groups: pooled.map(\.shape.last))
    }

    /// The head and the output layer alone, for features that are pooled and joined already.
    ///
    /// - Parameters:
    ///   - width: how many features there are.
    ///   - groups: the numbers of features that come from one layer each, where they come from several.
    /// - Throws: as ``model(on:classNames:)``.
    package func headModel(width: Int, groups: [Int], classNames: [String]) throws(GraftError) -> Model {
        let features = Input(shape: [width])
        let hidden = try head.withoutPooling(features, groups: groups)
        let outputs = ImageTask.classes.outputCount(classNames: classNames)
        let output = try outputLayer(outputs, ImageTask.classes.activation(outputs: classNames.count))(hidden)
        let model = try Model(inputs: features, outputs: output, seed: seed)
        model.metadata = ModelMetadata(classNames: classNames)
        return model
    }
}

extension Head {
    /// The pooling that it begins with; `nil` where it begins with something else.
    var pooling: Part? { parts.first.flatMap { [.averagePool, .maxPool].contains($0) ? $0 : nil } }

    /// Without the pooling that it begins with.
    var withoutPooling: Head { pooling == nil ? self : Head(Array(parts.dropFirst())) }
}
