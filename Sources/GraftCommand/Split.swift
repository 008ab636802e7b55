import ArgumentParser
import Graft

/// `graft split`
struct Split: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Divide images into training, validation and test, as a table that train reads.",
        discussion: """
            PATH is a folder of images, as train takes it, or a table of them (.csv, .jsonl); the parts that it has are not \
            looked at. Each image's part follows from its bytes and the seed: it stays where it is when others are added, when \
            it is renamed, and on another machine. Copies and images that look the same stay together, and so do those with \
            the same text in the capture of --group-by. Images that cannot be read are left out by name.

            The shares hold on average. With --exact they hold in each class as far as groups allow; then images at a border \
            move when others are added.

            Example:
              graft split photos --train 0.7 --validation 0.15 --test 0.15 --output splits.csv
              graft train splits.csv
            """)

    @Argument(help: "A folder of images, or a table that names them (.csv, .jsonl).", completion: .file())
    var path: String

    @Option(help: ArgumentHelp("The share to train on.", valueName: "share"))
    var train = 0.7

    @Option(help: ArgumentHelp("The share to choose by.", valueName: "share"))
    var validation = 0.15

    @Option(help: ArgumentHelp("The share that decides nothing.", valueName: "share"))
    var test = 0.15

    @Option(help: ArgumentHelp("Another number gives another split.", valueName: "N"))
    var seed: UInt64 = 0

    @Flag(help: "Divide each class exactly, though images may then move when others are added.")
    var exact = false

    @Option(
        help: ArgumentHelp(
            "A regular expression with one capture, on each path below the folder: images with the same text in it stay "
                + "together, such as '(patient\\d+)'.",
            valueName: "pattern"))
    var groupBy: String?

    @Option(
        name: [.long, .customShort("o")], help: ArgumentHelp("Where the table is written.", valueName: "file.csv"))
    var output = "splits.csv"

    @Option(help: ArgumentHelp("How many processor cores to use; all if not given.", valueName: "N"))
    var threads: Int?

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        try require(threads.map { $0 >= 1 } ?? true, "--threads", threads ?? 0, "at least 1")
        try require(output.hasSuffix(".csv"), "--output", "'\(output)'", "a name that ends in .csv")
        try asUsage { () throws(GraftError) in
            _ = try SplitShares(training: train, validation: validation, test: test)
        }
    }

    func run() throws {
        let console = outputOptions.console
        try explain(on: console) {
            try OutputFile.check(output)
            let shares = try SplitShares(training: train, validation: validation, test: test)
            let options = ImageSplit.Options(shares, seed: seed, exact: exact, groups: groupBy)
            let split = try naming("--group-by", for: "groups") { () throws(GraftError) in
                try ImageSplit(
                    of: ImageListing(at: path), options, threads: threads, progress: Self.progress(on: console))
            }
            console.closeProgressLine()
            try split.write(to: output)
            report(split, on: console)
        }
    }

    /// Says how far the look at the images is.
    static func progress(on console: Console) -> @Sendable (Int, Int) -> Void {
        let start = ContinuousClock.now
        return { done, count in
            guard done % 64 == 0 || done == count else { return }
            console.progress(ProgressLine("split", Progress(done: done, total: count, elapsed: start.secondsAgo)))
        }
    }

    private func report(_ split: ImageSplit, on console: Console) {
        console.list(split.listing.problems.map(\.description), title: "left out")
        let counts = split.listing.partCounts
        let parts = DatasetPart.allCases.map { "\($0.rawValue) \((counts[$0] ?? 0).grouped)" }
        console.say(
            "wrote \(output): \(parts.joined(separator: ", ")) of \(split.listing.entries.count.of("image"))"
                + (split.groupCount > 0 ? "; \(split.groupCount.of("group")) kept together" : ""))
        for warning in SplitWarnings(split.listing, wanted: wantedParts, exact: exact).lines { console.warn(warning) }
        var object = JSONObject(event: "split")
        object.add("output", .string(output))
        for part in DatasetPart.allCases { object.add(part.rawValue, .int(counts[part] ?? 0)) }
        object.add("groups", .int(split.groupCount))
        object.add("left_out", .strings(split.listing.problems.map(\.path)))
        console.emit(object)
    }

    private var wantedParts: [DatasetPart] {
        [(DatasetPart.training, train), (.validation, validation), (.test, test)].filter { $0.1 > 0 }.map(\.0)
    }
}

/// What may be wrong with a split.
struct SplitWarnings {
    let lines: [String]

    /// - Parameter wanted: the parts that should have something of each class.
    init(_ listing: ImageListing, wanted: [DatasetPart], exact: Bool) {
        let counts = listing.classCounts
        // The numbers of a regression are each a class of one.
        let classes = counts.filter { $0.value.values.reduce(0, +) >= wanted.count }.sorted { $0.key < $1.key }
        lines = wanted.compactMap { part in
            let missing = classes.filter { $0.value[part] == nil }.map(\.key)
            guard !missing.isEmpty else { return nil }
            let names = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? ", …" : "")
            return "the part \(part.rawValue) has no image of \(names)"
                + (exact ? "" : "; --exact divides each class by itself")
        }
    }
}
