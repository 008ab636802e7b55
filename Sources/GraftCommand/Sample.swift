import ArgumentParser
import Graft

/// `graft sample`
struct Sample: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw a small set of labelled images to begin with; nothing is downloaded.",
        discussion: """
            SET is one of:
            \(DrawnImages.all.map { "  \($0.id)  \($0.title)" }.joined(separator: "\n"))

            The folder gets train/CLASS/1.png and validation/CLASS/1.png, as graft train reads them. The same seed draws the \
            same images on every machine.

            Examples:
              graft sample leaves --output leaves
              graft sample cells --train 50 --size 192 --seed 7
            """)

    @Argument(
        help: ArgumentHelp("Which set to draw: \(DrawnImages.all.map(\.id).joined(separator: ", ")).", valueName: "set")
    )
    var name: String

    @Option(
        name: [.long, .customShort("o")],
        help: ArgumentHelp(
            "The folder that images are written to; the set's name if not given. It must be new or empty, or hold the same "
                + "set, which is then replaced.", valueName: "folder"))
    var output: String?

    @Option(help: ArgumentHelp("Images of each class to train with.", valueName: "N"))
    var train = 12

    @Option(help: ArgumentHelp("Images of each class to validate with.", valueName: "N"))
    var validation = 40

    @Option(help: ArgumentHelp("Rows and columns of an image.", valueName: "pixels"))
    var size = 160

    @Option(help: ArgumentHelp("Another number draws other images.", valueName: "N"))
    var seed: UInt64 = 0

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        try asUsage { () throws(GraftError) in try DrawnImages.named(name) }
        try require((1...100_000).contains(train), "--train", train, "1 to 100000 images a class")
        try require((0...100_000).contains(validation), "--validation", validation, "0 to 100000 images a class")
        try require((16...1024).contains(size), "--size", size, "16 to 1024 pixels")
        try require(output?.isEmpty != true, "--output", "''", "the name of a folder")
    }

    func run() throws {
        let console = outputOptions.console
        console.outliveReader()
        try explain(on: console) {
            let set = try DrawnImages.named(name)
            let folder = output ?? set.id
            let start = ContinuousClock.now
            let interruption = Interruption(on: console, saying: "stopping after the images that are being drawn")
            let options = DrawnImages.Options(train: train, validation: validation, size: size, seed: seed)
            let count = try set.write(
                to: folder, options,
                isCancelled: { [cancellation = interruption.cancellation] in cancellation.isCancelled },
                progress: { done, total in
                    console.progress(
                        ProgressLine(
                            title: "drawing \(set.id)", fraction: Double(done) / Double(total),
                            count: "\(done)/\(total)"))
                })
            withExtendedLifetime(interruption) {}
            report(set, count: count, in: folder, seconds: start.secondsAgo, on: console)
        }
    }

    private func report(_ set: DrawnImages, count: Int, in folder: String, seconds: Double, on console: Console) {
        console.say(
            "\(count.of("image")) of \(set.classNames.joined(separator: ", ")) in \(folder) (\(seconds.asDuration))")
        console.say("of each class \(train.grouped) to train with, \(validation.grouped) to validate with")
        console.say("next: graft train \(folder)")
        var object = JSONObject(event: "done")
        object.add("path", .string(folder))
        object.add("set", .string(set.id))
        object.add("classes", .strings(set.classNames))
        object.add("images", .int(count))
        object.add("train", .int(train))
        object.add("validation", .int(validation))
        object.add("size", .int(size))
        object.add("seed", Int(exactly: seed).map { .int($0) } ?? .string(String(seed)))
        object.add("seconds", .number(seconds))
        console.emit(object)
    }
}
