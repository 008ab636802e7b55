import Graft

extension NetworkOptions {
    /// A recipe with the network and the head that the options say, and for the rest what suits the base.
    func recipe(head: String?) throws(GraftError) -> TrainingRecipe {
        let head = try head.map { (text) throws(GraftError) in try Head(option: text) }
        let choice = source.choice
        var recipe: TrainingRecipe
        if let modelPath {
            recipe = try TrainingRecipe(model: SavedModel.base(modelPath, inputSize: choice.inputSize), head: head)
        } else {
            recipe = try TrainingRecipe(base: named(), head: head)
        }
        recipe.weights = choice.weights ?? recipe.weights
        source.images.apply(to: &recipe)
        recipe.preprocessing = choice.preprocessing?.preprocessing(of: recipe.base) ?? recipe.preprocessing
        recipe.cut = choice.cut ?? recipe.cut
        return recipe
    }
}

extension Train {
    /// How the options say that a classifier is trained.
    func recipe() throws(GraftError) -> TrainingRecipe {
        var recipe = try network.recipe(head: head)
        recipe.optimizer = training.optimizer ?? recipe.optimizer
        recipe.optimizerState = training.optimizerState ?? recipe.optimizerState
        recipe.learningRate = training.learningRate ?? recipe.learningRate
        recipe.batchSize = training.batchSize ?? recipe.batchSize
        recipe.penalty = training.l2 ?? recipe.penalty
        recipe.epochs = training.epochs
        let share = training.validationSplit ?? 0.2
        recipe.validationSplit = share > 0 ? share : nil
        recipe.seed = training.seed ?? 0
        recipe.fineTuning = fineTuning.choice
        recipe.augmentation = try augmentation.recipe
        recipe.views = augmentation.views
        (recipe.mixUp, recipe.cutMix) = (try augmentation.mixUp, try augmentation.cutMix)
        recipe.balance = augmentation.balance ?? .none
        recipe.featureAugmentation = try augmentation.featureAugmentation
        return recipe
    }
}

extension TrainingRecipe {
    /// The network for what is to be learned of these images; says what it is.
    ///
    /// - Parameter isOffline: whether weights that are not on this machine are an error.
    func model(for images: LabelledImages, isOffline: Bool, on console: Console) throws -> Model {
        var recipe = self
        if let base = base as? Base {
            recipe.weights = try base.fetched(
                weights, for: preprocessing, size: inputSize, isOffline: isOffline, on: console)
        }
        let model = try naming("--head", for: "head") { () throws(GraftError) in
            try recipe.model(on: recipe.network(), for: images)
        }
        tellBase(on: console)
        let trainable = model.trainableVariables.parameterCount.grouped
        console.say("\(model.countParameters().grouped) parameters, \(trainable) of them trainable")
        return model
    }
}

extension TrainingRecipe {
    /// Says what was taken for a base, and of a whole model what was assumed of it.
    private func tellBase(on console: Console) {
        guard let model = base as? ModelBase else {
            return console.say("\(base.title) cut at \(cut), on pixels as \(preprocessing.formula)")
        }
        let usual = cut == model.defaultCut ? ", the last layer before its classifier; --cut names another" : ""
        console.say("\(base.title) cut at \(cut)\(usual)")
        console.say("\(rule.height) × \(rule.width) pixels, features through \(head)")
        if preprocessing != .none {
            console.say("pixels as \(preprocessing.formula) before its own first layer")
        } else if !model.knowsPreprocessing {
            console.warn(
                "\(base.title) says nothing of how its images were preprocessed, and gets pixels from 0 to 255; where it was "
                    + "trained on others, --preprocessing unit, signed-unit, torch or caffe brings them there")
        }
    }
}

extension Head {
    /// What `--head` says.
    init(option text: String) throws(GraftError) {
        self = try naming("--head", for: "head") { () throws(GraftError) in try Head(text) }
    }
}

extension TrainingPhase {
    /// Finds out that there is something to unfreeze, in the words of the command.
    ///
    /// - Throws: `GraftError` with code `argument` where the model has no such layer, or no weights between it and the cut.
    func check(_ model: Model) throws(GraftError) {
        guard let unfrozen else { return }
        let count: Int
        do throws(GraftError) {
            count = try trainableParameterCount(in: model)
        } catch {
            throw GraftError(
                error.code, "--fine-tune-from: \(error.message); graft summary lists the layers of a base")
        }
        guard count > model.trainableVariables.parameterCount else {
            throw GraftError(
                .argument,
                "--fine-tune-from: no layer of the base \(unfrozen.extent) has weights; take an earlier one")
        }
    }
}

extension UnfrozenPart {
    /// How `--fine-tune-from` names the whole base.
    static let all = "all"

    /// What `--fine-tune-from` says.
    init(option: String) { self = option == Self.all ? .whole : .from(layer: option) }

    /// How `--fine-tune-from` says it.
    var option: String {
        switch self {
        case .whole: Self.all
        case .from(let layer): layer
        }
    }

    /// What training it is called.
    var title: String {
        switch self {
        case .whole: "fine-tuning the whole base"
        case .from(let layer): "fine-tuning from \(layer)"
        }
    }
}
