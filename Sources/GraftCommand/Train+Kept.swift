import Graft

extension Train: ResumableCommand {
    static var verb: String { "train" }

    static var keptOptions: [KeptOption<Train>] {
        [
            .value("images", \.images, isFree: true), .value("--output", \.output), .value("--head", \.head),
            .value("--cache", \.cache),
            // The network.
            .value("--base", \.network.base), .value("--weights", \.network.source.weights),
            .value("--input-size", \.network.source.images.inputSize), .value("--cut", \.network.source.cut),
            .value("--resize", \.network.source.images.resize), .value("--fit", \.network.source.images.fit),
            .value("--window", \.network.source.images.window), .flag("--grey", \.network.source.images.grey),
            .value("--preprocessing", \.network.source.preprocessing),
            // Images.
            .value("--target", \.data.target), .value("--split", \.data.split), .value("--group-by", \.data.groupBy),
            .flag("--audit", \.data.audit, isFree: true),
            // Augmentation.
            .value("--augment", \.augmentation.augment), .value("--views", \.augmentation.views),
            .value("--mixup", \.augmentation.mixup), .value("--cutmix", \.augmentation.cutmix),
            .value("--balance", \.augmentation.balance), .value("--cache-limit", \.cacheLimit),
            .value("--feature-augment", \.augmentation.featureAugment),
            // Training.
            .value("--optimizer", \.training.optimizer), .value("--optimizer-state", \.training.optimizerState),
            .value("--learning-rate", \.training.learningRate), .value("--batch-size", \.training.batchSize),
            .value("--l2", \.training.l2), .value("--epochs", \.training.epochs),
            .value("--validation-split", \.training.validationSplit), .value("--seed", \.training.seed),
            // Fine-tuning.
            .value("--fine-tune-from", \.fineTuning.fineTuneFrom),
            .value("--fine-tune-epochs", \.fineTuning.fineTuneEpochs),
            .value("--fine-tune-learning-rate", \.fineTuning.fineTuneLearningRate),
            .flag("--update-statistics", \.fineTuning.updateStatistics),
            // Callbacks.
            .value("--monitor", \.callbacks.monitor), .value("--early-stopping", \.callbacks.earlyStopping),
            .value("--reduce-on-plateau", \.callbacks.reduceOnPlateau),
            .value("--save-best", \.callbacks.saveBest), .value("--tensorboard", \.callbacks.tensorboard),
            // Checkpoints and the machine.
            .value("--checkpoint-every", \.checkpoints.checkpointEvery, isFree: true),
            .flag("--keep-checkpoint", \.checkpoints.keepCheckpoint, isFree: true),
            .value("--threads", \.machine.threads), .value("--precision", \.machine.precision),
        ]
    }
}
