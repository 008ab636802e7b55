extension Configuration {
    /// What is read in another way than it stands in a serialized model: types of numbers, and what was added to matrices.
    func readingNotes() -> [String] {
        var policies: Set<String> = []
        var hasRank = false
        collect(&policies, &hasRank)
        var notes = policies.sorted().map { "the type \($0.prefix(60)) is read as float32, which Graft computes with" }
        if hasRank {
            notes.append("LoRA's matrices are part of the kernels, as Keras saves them; the ranks are left out")
        }
        return notes
    }

    private func collect(_ policies: inout Set<String>, _ hasRank: inout Bool) {
        for element in elements ?? [] { element.collect(&policies, &hasRank) }
        for (key, value) in members ?? [:] {
            if key == "dtype", let name = value.policyName, NumberPolicy.readAsFloat32.contains(name) {
                policies.insert(name)
            }
            if key == "lora_rank", !value.isNull { hasRank = true }
            value.collect(&policies, &hasRank)
        }
    }

    /// The name of a policy, which stands alone or in Keras's object.
    var policyName: String? { text ?? self["config"]?["name"]?.text }
}

/// Keras's policies for the types that layers compute with.
enum NumberPolicy {
    /// Those whose numbers float32 can hold, or whose models were meant to be as good with it.
    static let readAsFloat32: Set<String> = ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64"]
}
