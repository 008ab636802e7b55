import Graft

/// What `graft train` does before it trains: everything that can be found wrong is found here.
struct TrainingSetup {
    let options: Train
    /// What the run goes on from; `nil` for a new one.
    let resumed: ResumedRun?
    let report: TrainingReport

    /// The images, the network and what is settled before it trains.
    func training() throws -> ClassifierTraining {
        var recipe = try recipe()
        // The checkpoint has all numbers.
        if resumed != nil { recipe.weights = .none }
        let images = try images(recipe)
        report.tell(images)
        if options.network.base == nil, let base = recipe.base as? Base { report.tellUsual(base) }
        try options.callbacks.check(hasValidation: images.validation.map { $0.count > 0 } == true)
        let model = try recipe.model(
            for: images, isOffline: options.network.source.offline, on: report.console)
        if let resumed { model.layerFlags = resumed.kept.marks }
        for phase in recipe.phases(imageCount: images.training.count) { try phase.check(model) }
        try model.checkRoom(toSave: options.modelPath)
        let training = try ClassifierTraining(
            on: images, recipe, model: model,
            options: options.machine.trainingOptions(features: options.featureCache, trains: true))
        try training.settlePrecision(resumed: resumed?.kept.precision)
            .tell(optimizerState: recipe.optimizerState, on: report.console)
        if resumed == nil { try training.adaptStandardization() }
        return training
    }

    /// How it is trained. A run whose base is a file needs that file again: the checkpoint has the numbers, not the layers.
    private func recipe() throws(GraftError) -> TrainingRecipe {
        guard let resumed else { return try options.recipe() }
        do throws(GraftError) {
            let recipe = try options.recipe()
            try KeptBase.check(recipe.base, resumed.kept)
            return recipe
        } catch {
            guard let path = options.network.modelPath, !error.message.hasPrefix("--resume") else { throw error }
            throw GraftError(
                error.code, "--resume: the run's base \(path) is needed again: \(error.message)", cause: error.cause)
        }
    }

    /// The images, after a look at what may be wrong with them.
    private func images(_ recipe: TrainingRecipe) throws -> LabelledImages {
        let (path, threads, console) = (options.images ?? ".", options.machine.threads, report.console)
        if options.data.audit {
            let report = AuditReport(try AuditReport.audit(path, threads: threads, on: console))
            report.show(on: console)
            report.emit(on: console)
        }
        let images = try naming("--group-by", for: "groups") { () throws(GraftError) in
            try LabelledImages(
                at: path, rule: recipe.rule, task: options.data.target,
                split: try options.data.division(seed: recipe.seed), validationSplit: recipe.validationSplit,
                seed: recipe.seed, threads: threads, progress: Split.progress(on: console))
        }
        console.closeProgressLine()
        if !options.data.audit { try report.tellFindings(images.quickFindings(threads: threads), in: path) }
        return images
    }
}
