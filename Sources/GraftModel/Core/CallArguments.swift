/// What a call of a layer says beside the order of its tensors: for layers whose inputs have names, as attention has a query, a
/// value and masks.
package struct CallArguments: Hashable, Sendable {
    /// The name of each input; empty for layers that tell their inputs by position alone.
    package let names: [String]
    /// What is switched on for this call, such as `use_causal_mask`.
    package let flags: Set<String>

    /// A call of a layer whose inputs have no names.
    package static let plain = CallArguments()

    package init(names: [String] = [], flags: Set<String> = []) { (self.names, self.flags) = (names, flags) }

    /// The input of a name among those of the call; `nil` where the call has none.
    package func input<Element>(_ name: String, of inputs: [Element]) -> Element? {
        guard let position = names.firstIndex(of: name), position < inputs.count else { return nil }
        return inputs[position]
    }
}

/// What the calls of a layer can name.
package struct CallSignature: Sendable {
    /// The tensors that a call may be given, in the order of Keras's `call`.
    let tensors: [String]
    /// How many of them, the first ones, are written by position.
    let positionalCount: Int
    /// What may be switched on.
    var flags: [String] = []

    /// What files say of some calls that must be false.
    static let withoutEffect = ["return_attention_scores"]

    /// Names for inputs that are given by position.
    ///
    /// - Throws: ``GraftError`` with code `argument` where there are more inputs than names.
    func positional(_ count: Int, of layer: String) throws(GraftError) -> CallArguments {
        guard count <= tensors.count else {
            throw GraftError(
                .argument,
                "\(layer) takes at most \(tensors.count) inputs (\(tensors.joined(separator: ", "))), not \(count)")
        }
        return CallArguments(names: Array(tensors.prefix(count)))
    }

    /// How many inputs of a call are written by position: those that stand where their names do.
    func positionalCount(of arguments: CallArguments) -> Int {
        zip(arguments.names, tensors.prefix(positionalCount)).prefix { $0 == $1 }.count
    }
}
