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
        help: ArgumentHelp("Where the student is written.", valueName: "file.keras"))
    var output = "student.keras"

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        try require(output.hasSuffix(".keras"), "--output", "'\(output)'", "a name that ends in .keras")
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
                let (options, kept) = try resumed(path, Array(CommandLine.arguments.dropFirst(2)))
                job = DistillJob(options: options, console: console, resumed: kept)
            }
            try job.run()
        }
    }

    /// The options that a run was begun with, and what is kept of it.
    ///
    /// One argument that is no option says where the images are now; of two, the first is the teacher.
    private func resumed(_ path: String, _ words: [String]) throws -> (Distill, KeptRun) {
        let kept = try KeptRun(path, verb: "distill")
        var options = try kept.options(of: Distill.self)
        let (given, moved) = images == nil ? (nil, teacher) : (teacher, images)
        if let given, given != options.teacher {
            throw GraftError(
                .argument,
                "--resume: the run was begun with the teacher \(options.teacher ?? "") and goes on so; it cannot be \(given)"
            )
        }
        let begun = GivenOptions(kept.words, positional: [options.teacher, options.images].compactMap(\.self))
        try GivenOptions(words, positional: [teacher, images].compactMap(\.self)).check(against: begun)
        options.images = moved.map(KeptRun.absolute) ?? options.images
        options.checkpoints.goOn(with: checkpoints)
        kept.enterFolder()
        return (options, kept)
    }
}
