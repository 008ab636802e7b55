import GraftDigest

/// Texts as the inputs of an encoder: the ids of their tokens, filled up to one length, and which of them are tokens.
///
/// Inputs, of int32, each (batch, length): `input_ids`, `attention_mask`, and where there are pairs `token_type_ids`. Targets: one
/// tensor (batch) of class numbers, or one (batch, width) of numbers; none where nothing is known of the texts.
public struct TextDataset: Dataset {
    /// How many tokens each text is filled up to.
    public let length: Int
    private let rule: TokenRule
    private let tokens: TokenizedTexts
    private let examples: TextExamples
    /// The texts of these examples that it has, in its order.
    private let members: [Int]
    private let hasPairs: Bool

    /// All texts at one length.
    ///
    /// - Throws: `GraftError` as ``TokenizedTexts``.
    public init(_ examples: TextExamples, _ rule: TokenRule, length: Int? = nil, hasPairs: Bool = false)
        throws(GraftError)
    {
        self.init(
            examples, try TokenizedTexts(examples.texts, rule), members: Array(0..<examples.count),
            length: length ?? rule.maximumLength, hasPairs: hasPairs)
    }

    init(_ examples: TextExamples, _ tokens: TokenizedTexts, members: [Int], length: Int, hasPairs: Bool) {
        (self.examples, self.tokens, self.members) = (examples, tokens, members)
        (self.length, self.hasPairs, rule) = (length, hasPairs, tokens.rule)
    }

    /// The number of texts.
    public var count: Int { members.count }

    /// The classes, where targets are those.
    public var classNames: [String]? { examples.classNames }

    /// How texts become inputs.
    public var inputRule: InputRule? { .tokens(rule) }

    /// What messages call a text.
    public func name(of index: Int) -> String? {
        members.indices.contains(index) ? examples.names[members[index]] : nil
    }

    /// These texts.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no text's.
    public func batch(_ indices: [Int]) throws -> Batch {
        try check(indices)
        var (ids, mask): ([Int32], [Int32]) = ([], [])
        ids.reserveCapacity(indices.count * length)
        mask.reserveCapacity(indices.count * length)
        for index in indices {
            let own = tokens.ids[members[index]].prefix(length)
            ids += own
            ids += repeatElement(Int32(rule.paddingID), count: length - own.count)
            mask += repeatElement(1, count: own.count)
            mask += repeatElement(0, count: length - own.count)
        }
        let shape: Shape = [indices.count, length]
        var inputs = [Tensor(ids, shape: shape), Tensor(mask, shape: shape)]
        if hasPairs { inputs.append(Tensor([Int32](repeating: 0, count: ids.count), shape: shape)) }
        return Batch(indices: indices, inputs: inputs, targets: known(indices))
    }

    /// The class numbers or other targets of these texts.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no text's.
    public func targets(of indices: [Int]) throws -> [Tensor] {
        try check(indices)
        return known(indices)
    }

    private func known(_ indices: [Int]) -> [Tensor] {
        if !examples.labels.isEmpty {
            return [Tensor(indices.map { Float(examples.labels[members[$0]]) }, shape: [indices.count])]
        }
        guard !examples.values.isEmpty else { return [] }
        return [
            Tensor(
                indices.flatMap { examples.values[members[$0]] }, shape: [indices.count, examples.targetWidth])
        ]
    }

    /// SHA-256 of the ids: texts of the same tokens have the same features, whatever tells them apart.
    ///
    /// - Throws: `GraftError` with code `argument` for a number that is no text's.
    public func fingerprint(of index: Int) throws -> String? {
        try check([index])
        var hash = SHA256()
        hash.update("graft tokens 1 padding \(rule.paddingID)\n".utf8)
        tokens.ids[members[index]].prefix(length).withUnsafeBytes { hash.update($0) }
        return hash.finalize().hexadecimal
    }

    private func check(_ indices: [Int]) throws(GraftError) {
        guard let wrong = indices.first(where: { !members.indices.contains($0) }) else { return }
        throw GraftError(.argument, "there is no text \(wrong) among \(members.count)")
    }
}

/// Texts as ids, and the length that each is filled up to.
public struct TokenizedTexts: Sendable {
    /// How they became ids.
    public let rule: TokenRule
    /// The ids of each text, cut off at the rule's length.
    public let ids: [[Int32]]
    /// How many texts were cut off.
    public let cutCount: Int

    /// Makes ids of texts.
    ///
    /// - Throws: `GraftError` with code `format` where the rule has no tokenizer, `data` for a text that it cannot take.
    public init(_ texts: [String], _ rule: TokenRule) throws(GraftError) {
        try self.init(texts, rule, Tokenizer(rule))
    }

    /// Makes ids of texts with a tokenizer that is there already.
    ///
    /// - Throws: `GraftError` with code `data` for a text that it cannot take.
    public init(_ texts: [String], _ rule: TokenRule, _ tokenizer: Tokenizer) throws(GraftError) {
        var tokenizer = tokenizer
        tokenizer.padding = nil
        // One more than fits, so that it is seen which texts were too long.
        tokenizer.truncation = try Tokenizer.Truncation(maximumLength: rule.maximumLength)
        self.rule = rule
        var whole = tokenizer
        whole.truncation = try Tokenizer.Truncation(maximumLength: rule.maximumLength + 1)
        let longer = try whole.ids(of: texts)
        let cut = longer.indices.filter { longer[$0].count > rule.maximumLength }
        cutCount = cut.count
        var ids = longer
        for (place, short) in zip(cut, try tokenizer.ids(of: cut.map { texts[$0] })) { ids[place] = short }
        self.ids = ids
    }

    /// The datasets of all texts, each of those that one length serves, the shortest first.
    ///
    /// - Parameters:
    ///   - examples: the texts, with their targets.
    ///   - hasPairs: whether the network has an input for types.
    ///   - fewest: fewer texts of a length join those of the next one.
    public func datasets(
        of examples: TextExamples, hasPairs: Bool = false, fewest: Int = 1
    ) -> [(dataset: TextDataset, members: [Int])] {
        var groups: [Int: [Int]] = [:]
        let lengths = rule.paddedLengths
        for place in ids.indices {
            groups[lengths.first { $0 >= ids[place].count } ?? rule.maximumLength, default: []].append(place)
        }
        for (length, next) in zip(lengths, lengths.dropFirst()) {
            guard let few = groups[length], few.count < fewest, groups.contains(where: { $0.key > length }) else {
                continue
            }
            groups[length] = nil
            groups[next] = (few + (groups[next] ?? [])).sorted()
        }
        return groups.sorted { $0.key < $1.key }.map { length, members in
            (TextDataset(examples, self, members: members, length: length, hasPairs: hasPairs), members)
        }
    }
}
