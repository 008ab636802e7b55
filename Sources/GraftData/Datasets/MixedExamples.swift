import GraftGraph

/// Examples that are mixed in pairs, batch by batch, with their targets: ``MixUp``, ``CutMix``, or one of both by chance.
///
/// Each epoch of `fit` mixes otherwise: a mixture is a view of its own, so that there are far more of them than epochs. What an
/// example is mixed with follows from the batch that it is in, so that features of a trunk cannot be kept: train with
/// `TrainingOptions(features: .off)`.
public struct MixedExamples: Dataset {
    private let examples: SoftTargets
    private let mixing: ExampleMixing

    /// Examples with class numbers as targets.
    ///
    /// - Parameters:
    ///   - examples: what is mixed; images (height, width, channels) for ``CutMix``.
    ///   - mixUp: how all values are mixed; `nil` for not at all.
    ///   - cutMix: how rectangles are pasted; `nil` for not at all.
    ///   - outputs: the outputs of the classifier: 1 for two classes, else one for each class. See ``SoftTargets``.
    ///   - seed: another number mixes otherwise.
    public init(
        _ examples: any Dataset, mixUp: MixUp?, cutMix: CutMix? = nil, outputs: Int, seed: UInt64 = 0
    ) {
        self.examples = SoftTargets(examples, outputs: outputs)
        mixing = ExampleMixing(mixUp: mixUp, cutMix: cutMix, seed: seed)
    }

    /// The number of examples.
    public var count: Int { examples.count }
    /// The examples' own views, each in as many mixtures as can be counted, 65,536 at most.
    public var views: Int { examples.views * max(min(1 << 16, .max / max(examples.numberCount, 1)), 1) }
    /// Those of the examples.
    public var classNames: [String]? { examples.classNames }
    /// That of the examples.
    public var inputRule: InputRule? { examples.inputRule }
    /// They follow from the batch.
    public var computesTargets: Bool { true }

    /// These examples, mixed among themselves.
    ///
    /// - Throws: `GraftError` with code `data` for inputs that are ids, or no images where rectangles are cut.
    public func batch(_ numbers: [Int]) throws -> Batch {
        var batch = try examples.batch(numbers.map(own))
        guard !batch.indices.isEmpty, count > 0 else { return batch }
        try check(batch.inputs)
        // Those that can be read, by the numbers under which they were asked for.
        let unread = Set(batch.failures.map(\.index))
        batch.indices = numbers.filter { !unread.contains(own($0)) }
        let mixes = mixing.mixes(of: batch.indices.map { $0 % count }, epoch: batch.indices[0] / count)
        (batch.inputs, batch.targets) = ExampleMixing.apply(mixes, to: batch.inputs, batch.targets)
        return batch
    }

    private func check(_ inputs: [Tensor]) throws(GraftError) {
        guard inputs.allSatisfy({ $0.elementType != .int32 }) else {
            throw GraftError(.data, "numbers are mixed, and the examples are ids, of int32; train without a mix")
        }
        guard mixing.cutMix == nil || inputs.allSatisfy({ $0.shape.rank == 4 }) else {
            throw GraftError(.data, "CutMix cuts images, and the examples have the shape \(inputs[0].shape)")
        }
    }

    /// The number among the examples' own views.
    private func own(_ number: Int) -> Int { number % max(examples.numberCount, 1) }

    /// That of the example, and how it is mixed.
    public func fingerprint(of number: Int) throws -> String? {
        let mixes = [mixing.mixUp.map { "mixup \($0.alpha)" }, mixing.cutMix.map { "cutmix \($0.alpha)" }]
        let text = mixes.compactMap(\.self).joined(separator: " ")
        return try examples.fingerprint(of: own(number)).map { "\($0) \(text) seed \(mixing.seed)" }
    }

    /// That of the example.
    public func name(of number: Int) -> String? { examples.name(of: own(number)) }
}
