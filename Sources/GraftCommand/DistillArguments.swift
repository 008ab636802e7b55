import ArgumentParser
import Graft

/// Who teaches, and what.
struct DistillTeacherArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The teacher's weights, where it is a base: a file, 'imagenet' for the published ones (found on this machine or "
                + "downloaded), or 'none' for random ones. (default: imagenet)",
            valueName: "file|imagenet|none"))
    var weights: Weights?

    @Option(
        help: ArgumentHelp(
            "The layer whose features are taught; a base's usual one, a .keras model's last if not given.",
            valueName: "layer"))
    var cut: String?

    @Flag(help: "Teach the class probabilities of the classifier on top, in place of features.")
    var top = false

    @Option(
        help: ArgumentHelp(
            "With --top, how much the probabilities are softened: 1 leaves them, higher numbers show what else an image is "
                + "like. (default: 2)", valueName: "T"))
    var temperature: Float?

    @Option(
        help: ArgumentHelp(
            "The height and width in pixels that a base sees images in as it teaches, or a model that leaves its size open; its "
                + "own if not given.",
            valueName: "pixels"))
    var teacherSize: Int?

    @Option(
        help: ArgumentHelp(
            "What a base does first to pixels from 0 to 255; 'own' as it was trained. See graft train. (default: own)",
            valueName: "own|unit|signed-unit|…"))
    var preprocessing: PreprocessingOption?

    func validate() throws {
        if let teacherSize {
            try require((1...4096).contains(teacherSize), "--teacher-size", teacherSize, "1 to 4096 pixels")
        }
        if top, cut != nil {
            throw ValidationError("--top and --cut: a teacher teaches either its classes or a layer's features")
        }
        if let temperature {
            try require(temperature > 0 && temperature.isFinite, "--temperature", temperature, "a number above 0")
            if !top { throw ValidationError("--temperature needs --top: features have none") }
        }
    }

    /// As ``NetworkSource`` takes them.
    var choice: BaseChoice {
        BaseChoice(weights: weights, inputSize: teacherSize, cut: cut, preprocessing: preprocessing)
    }

    /// The options that were given and that a saved model does not take: it carries its own.
    var givenForBasesAlone: [String] {
        let options = [
            ("--weights", weights != nil), ("--preprocessing", preprocessing != nil),
        ]
        return options.filter(\.1).map(\.0)
    }
}

/// Who learns.
struct DistillStudentArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The network that learns: a base (see graft bases), which begins with random weights, or a .keras model, which "
                + "goes on from its own.", valueName: "name|file.keras"))
    var student: String?

    @Option(
        help: ArgumentHelp(
            "The height and width in pixels of the student's images, where it is a base, or a model that leaves its size open; "
                + "its own if not given.",
            valueName: "pixels"))
    var inputSize: Int?

    @Option(
        help: ArgumentHelp(
            "How images are resized where the student is used: "
                + "\(ResizeMethod.allCases.map(\.rawValue).joined(separator: ", ")). "
                + "(default: antialias, which resembles the views; that of a .keras model)", valueName: "method"))
    var resize: ResizeMethod?

    func validate() throws {
        if let inputSize {
            try require((1...4096).contains(inputSize), "--input-size", inputSize, "1 to 4096 pixels")
        }
    }

    /// As ``NetworkSource`` takes them: what it learns is the teacher's, so that a base begins with random weights.
    var source: NetworkSource {
        let name = student ?? ""
        let isSaved = NetworkSource(name: name).isSavedModel
        return NetworkSource(
            name: name, choice: BaseChoice(weights: isSaved ? nil : Weights.none, inputSize: inputSize))
    }
}

/// What of the images both see, and what is kept of it.
struct DistillViewArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How views differ from their images, the same for teacher and student; 'none' shows the images. Parts: "
                + "\(Augmentation.forms). (default: \(usualRecipe))", valueName: "recipe"))
    var augment: String?

    private static let usualRecipe = "flip,crop:0.2,brightness:0.2,contrast:0.2,saturation:0.2,hue:0.05"

    @Option(
        help: ArgumentHelp(
            "How many views each image has; each epoch shows the next one. More are better, fewer are faster, as the "
                + "teacher's answers to views that come again are kept. (default: 8)", valueName: "N"))
    var views: Int?

    @Option(
        help: ArgumentHelp(
            "Mix the images of a step in pairs (MixUp), by shares from Beta(A, A), such as 0.2 or 1: each epoch has mixtures "
                + "of its own, which the teacher has to see.", valueName: "A"))
    var mixUp: Double?

    @Option(
        help: ArgumentHelp(
            "How many megabytes of the teacher's answers are kept in memory, so that it is not run again on what it saw. "
                + "Results stay the same. (default: 256)", valueName: "MB"))
    var answersMemory: Int?

    @Option(
        help: ArgumentHelp(
            "How many megabytes of decoded images are kept in memory, so that they are not read again. (default: 512)",
            valueName: "MB"))
    var imageMemory: Int?

    func validate() throws {
        try asUsage { () throws(GraftError) in _ = try recipe }
        try require(views.map((1...1_000_000).contains) ?? true, "--views", views ?? 0, "1 to 1000000")
        try asUsage { () throws(GraftError) in _ = try mixing }
        for (option, value) in [("--answers-memory", answersMemory), ("--image-memory", imageMemory)] {
            if let value { try require((0...1_000_000).contains(value), option, value, "0 to 1000000 megabytes") }
        }
    }

    /// How many bytes the teacher's answers may take.
    var answersByteCount: Int { (answersMemory ?? 256) * 1_000_000 }
    /// How many bytes decoded images may take.
    var imageByteCount: Int { (imageMemory ?? 512) * 1_000_000 }

    /// How views differ from their images.
    var recipe: Augmentation {
        get throws(GraftError) {
            try Augmentation(option: augment ?? Self.usualRecipe)
        }
    }

    /// How many views there are: where none differs from its image, one.
    var viewCount: Int {
        get throws(GraftError) { try recipe.isIdentity ? 1 : views ?? 8 }
    }

    /// What mixes images; `nil` for nothing.
    var mixing: MixUp? {
        get throws(GraftError) {
            guard let mixUp else { return nil }
            return try underOption("--mix-up") { () throws(GraftError) in try MixUp(alpha: mixUp) }
        }
    }
}

/// How long and how fast the student learns.
struct DistillTrainingArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Passes over the images; many are worth their time. (default: 30)", valueName: "N"))
    var epochs: Int?

    @Option(help: ArgumentHelp("Images in a step. (default: 64)", valueName: "N"))
    var batchSize: Int?

    @Option(
        help: ArgumentHelp(
            "The largest size of a step (AdamW): it rises to it in the first twentieth of the steps, and falls to 0 along "
                + "half a wave of the cosine. (default: 0.001)", valueName: "rate"))
    var learningRate: Float?

    @Option(
        help: ArgumentHelp(
            "The share of its weights that the student loses in a step, times the learning rate; biases and normalizations "
                + "lose none. (default: 0.05)", valueName: "share"))
    var weightDecay: Float?

    @Option(
        help: ArgumentHelp(
            "At the end the student's weights become their moving average, of which this share stays at each step, such as "
                + "0.999; without, the last weights stay.", valueName: "share"))
    var movingAverage: Float?

    @Option(
        help: ArgumentHelp(
            "The share of the images that the loss is measured on after each epoch, and that nothing is learned from; 0 for "
                + "none. (default: 0.05)", valueName: "share"))
    var validationSplit: Double?

    @Option(
        help: ArgumentHelp(
            "Decides the initial weights, the views and the order of images. (default: 0)", valueName: "N"))
    var seed: UInt64?

    func validate() throws {
        let (rate, decay) = (chosenRate, chosenDecay)
        try require((1...1_000_000).contains(epochCount), "--epochs", epochCount, "at least 1")
        try require((1...65536).contains(imagesInStep), "--batch-size", imagesInStep, "1 to 65536")
        try require(rate > 0 && rate.isFinite, "--learning-rate", rate, "a number above 0")
        try require(decay >= 0 && decay.isFinite, "--weight-decay", decay, "0 or more")
        if let movingAverage {
            try require((0..<1).contains(movingAverage), "--moving-average", movingAverage, "0 up to, not including, 1")
        }
        try require(
            (0..<1).contains(validationShare), "--validation-split", validationShare, "0 up to, not including, 1")
    }

    /// Passes over the images.
    var epochCount: Int { epochs ?? 30 }
    /// Images in a step.
    var imagesInStep: Int { batchSize ?? 64 }
    /// The share of the images that nothing is learned from.
    var validationShare: Double { validationSplit ?? 0.05 }
    private var chosenRate: Float { learningRate ?? 1e-3 }
    private var chosenDecay: Float { weightDecay ?? 0.05 }

    /// The steps of the run with so many images in an epoch.
    func stepCount(imageCount: Int) -> Int {
        epochCount * ((imageCount + imagesInStep - 1) / imagesInStep)
    }

    /// AdamW with its schedule for so many steps. It warms up over the first twentieth of them; of few over 20, as the first
    /// steps of AdamW are as large as any, whatever the gradient is.
    func optimizer(steps: Int) -> any Optimizer {
        let warmUp = max(steps / 20, min(20, steps / 4))
        let schedule = LearningRateSchedule.cosineDecay(initial: chosenRate, decaySteps: max(steps - warmUp, 1))
        return AdamW(
            learningRate: schedule.warmedUp(over: warmUp), weightDecay: chosenDecay,
            settings: OptimizerSettings(
                excludedFromWeightDecay: OptimizerSettings.biasesAndNormalization,
                movingAverage: movingAverage.map { MovingAverage(momentum: $0) }))
    }

    /// The largest momentum of batch normalization's statistics that so many steps allow: what they began with is forgotten
    /// after a twentieth of the steps, but for a third of it. A network that is meant for millions of steps would keep it.
    static func statisticsMomentum(steps: Int) -> Double { min(0.99, max(0.8, 1 - 20 / Double(max(steps, 1)))) }
}
