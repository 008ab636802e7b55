import ArgumentParser
import Graft

/// `graft distill`
struct Distill: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Teach a small network what a larger one knows, on images without labels.",
        discussion: """
            The student learns to give the teacher's features, or with --top its class probabilities, for the same view of \
            each image. IMAGES is a folder; folders inside are searched too, and what they are called says nothing. The \
            student is written as a .keras file, which Keras opens and graft features takes.

            Example:
              graft distill inception-v3 photos --weights inception.h5 --cut mixed7 \\
                --student mobilenet-v2 --input-size 128 --output student.keras

            The class probabilities of a classifier of your own, softened by a temperature:
              graft distill model.keras photos --top --temperature 2 --student mobilenet-v2 --input-size 96

            Teacher and student see the same views: random crops, flips and colours, see --augment and --mix-up.

            A student that has learned already goes on from what it knows:
              graft distill inception-v3 photos --student student.keras --output better.keras

            Ctrl-C stops after the current step and writes the student of the last complete epoch; a second Ctrl-C ends the \
            program at once. Whatever ended a run, this goes on where it was and gives the same student, bit for bit:
              graft distill --resume student.checkpoint
            """)

    @Argument(help: "The network that teaches: a base (see graft bases), or a .keras model.")
    var teacher: String?

    @Argument(help: "The folder of images.", completion: .directory)
    var images: String?

    @OptionGroup(title: "Teacher") var teaching: DistillTeacherArguments
    @OptionGroup(title: "Student") var student: DistillStudentArguments
    @OptionGroup(title: "Images") var views: DistillViewArguments
    @OptionGroup(title: "Training") var training: DistillTrainingArguments
    @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointArguments
    @OptionGroup(title: "Machine") var machine: MachineOptions

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp("Where the student is written. (default: student.keras)", valueName: "file.keras"))
    var output: String?

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        try require(modelPath.hasSuffix(".keras"), "--output", "'\(modelPath)'", "a name that ends in .keras")
        guard checkpoints.resume == nil else { return }
        guard teacher != nil else { throw ValidationError("Missing expected argument '<teacher>'") }
        guard images != nil else { throw ValidationError("Missing expected argument '<images>'") }
        guard student.student != nil else {
            throw ValidationError("Missing expected argument '--student <name|file.keras>'")
        }
    }

    func run() throws {
        let console = outputOptions.console
        console.outliveReader()
        try explain(on: console) {
            var job = DistillJob(options: self, console: console)
            if let path = checkpoints.resume {
                let (options, kept) = try resumed(path)
                job = DistillJob(options: options, console: console, resumed: kept)
            }
            try job.run()
        }
    }

    /// Where the student is written.
    var modelPath: String { output ?? "student.keras" }

    /// The options that a run was begun with, and what is kept of it.
    ///
    /// One argument that is no option says where the images are now; of two, the first is the teacher.
    private func resumed(_ path: String) throws -> (Distill, KeptRun) {
        let kept = try KeptRun(path, of: Distill.self)
        var command = self
        if images == nil { (command.teacher, command.images) = (nil, teacher) }
        let begun = kept.command.options["teacher"] ?? ""
        if let given = command.teacher, given != begun {
            throw GraftError(
                .argument,
                "--resume: the run was begun with the teacher \(begun) and goes on so; it cannot be \(given)")
        }
        var options = try kept.command.resumed(by: command, path: path)
        options.images = command.images.map(KeptRun.absolute) ?? options.images
        kept.enterFolder()
        let named = output ?? (kept.command.options["--output"] == nil ? nil : command.output)
        try ResumedOutputs(run: kept.command.run).check(options.modelPath, option: "--output", named: named)
        return (options, kept)
    }
}

extension Distill: ResumableCommand {
    static var verb: String { "distill" }

    static var keptOptions: [KeptOption<Distill>] {
        [
            .value("teacher", \.teacher), .value("images", \.images, isFree: true), .value("--output", \.output),
            // The teacher.
            .value("--weights", \.teaching.weights), .value("--cut", \.teaching.cut), .flag("--top", \.teaching.top),
            .value("--temperature", \.teaching.temperature), .value("--teacher-size", \.teaching.teacherSize),
            .value("--preprocessing", \.teaching.preprocessing),
            // The student.
            .value("--student", \.student.student), .value("--input-size", \.student.inputSize),
            .value("--resize", \.student.resize),
            // Images.
            .value("--augment", \.views.augment), .value("--views", \.views.views), .value("--mix-up", \.views.mixUp),
            .value("--answers-memory", \.views.answersMemory), .value("--image-memory", \.views.imageMemory),
            // Training.
            .value("--epochs", \.training.epochs), .value("--batch-size", \.training.batchSize),
            .value("--learning-rate", \.training.learningRate), .value("--weight-decay", \.training.weightDecay),
            .value("--moving-average", \.training.movingAverage),
            .value("--validation-split", \.training.validationSplit), .value("--seed", \.training.seed),
            // Checkpoints and the machine.
            .value("--checkpoint-every", \.checkpoints.checkpointEvery, isFree: true),
            .flag("--keep-checkpoint", \.checkpoints.keepCheckpoint, isFree: true),
            .value("--threads", \.machine.threads), .value("--precision", \.machine.precision),
        ]
    }
}
