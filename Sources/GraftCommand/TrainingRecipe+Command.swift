import Graft

extension TrainingRecipe {
    /// The `graft train` that trains this recipe, as a shell takes it.
    func command(images: String, output: String) -> String {
        var words = ["graft", "train", images, "--base", base.id]
        func add(_ option: String, _ value: String, unless isUsual: Bool = false) {
            if !isUsual { words += [option, value] }
        }
        let usual = TrainingRecipe(of: base, head: nil)
        add("--weights", weights.defaultValueDescription, unless: weights == usual.weights)
        add("--input-size", "\(inputSize)", unless: inputSize == usual.inputSize)
        add("--resize", resize.rawValue, unless: resize == usual.resize)
        add("--fit", fit.rawValue, unless: fit == usual.fit)
        if let window { add("--window", "\(window)") }
        if isGrey { words.append("--grey") }
        add("--cut", cut)
        add("--head", head.description)
        add("--optimizer", optimizer.rawValue)
        add("--learning-rate", "\(learningRate)")
        add("--batch-size", "\(batchSize)")
        add("--l2", "\(penalty)")
        if let epochs { add("--epochs", "\(epochs)") }
        if let augmentation { add("--augment", augmentation.description) }
        if let views { add("--views", "\(views)") }
        if let fineTuning {
            add("--fine-tune-from", fineTuning.unfrozen.option)
            add("--fine-tune-epochs", "\(fineTuning.epochs)")
            add("--fine-tune-learning-rate", "\(fineTuning.learningRate)")
        }
        if validationSplit == nil { add("--validation-split", "0") }
        add("--seed", "\(seed)", unless: seed == 0)
        add("--output", output)
        return words.map(Self.quoted).joined(separator: " ")
    }

    /// A word that a shell takes as it is.
    private static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ("a"..."z" ~= $0 || "A"..."Z" ~= $0 || "0"..."9" ~= $0 || "-_./:,+=".unicodeScalars.contains($0))
            }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
