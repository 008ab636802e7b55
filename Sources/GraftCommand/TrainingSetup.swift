import Graft

/// What `graft train` does before it trains: everything that can be found wrong is found here.
struct TrainingSetup {
    let options: Train
    /// What the run goes on from; `nil` for a new one.
    let resumed: ResumedRun?
    let report: TrainingReport

    /// The images, the network and what is settled before it trains.
    func training() throws -> ClassifierTraining {
        var recipe = try options.recipe()
        // The checkpoint has all numbers.
        if resumed != nil { recipe.weights = .none }
        let images = try ImageFolder(
            at: options.images ?? ".", rule: recipe.rule, validationSplit: recipe.validationSplit, seed: recipe.seed,
            threads: options.machine.threads)
        report.tell(images)
        if options.network.base == nil { report.tellUsual(recipe.base) }
        try options.callbacks.check(hasValidation: images.validation.map { $0.count > 0 } == true)
        let model = try recipe.model(classNames: images.classNames, on: report.console)
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
}
