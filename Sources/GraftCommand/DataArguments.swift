import ArgumentParser
import Graft

/// What images a training takes for what.
struct DataArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What is learned: classes (one of each image), labels (any number of each, 'a|b' in a table) or regression "
                + "(numbers). (default: labels where an image of a table has several, else classes)",
            valueName: "kind"))
    var target: ImageTask?

    @Option(
        help: ArgumentHelp(
            "Divide the images anew into training, validation and test by these shares, as graft split does; evaluate "
                + "--split test then knows the images that were held back.", valueName: "0.7,0.15,0.15"))
    var split: String?

    @Option(
        help: ArgumentHelp(
            "With --split: images with the same text in the one capture of this regular expression stay together.",
            valueName: "pattern"))
    var groupBy: String?

    @Flag(
        help: "Look at every image first, as graft audit does; without it names, sizes and equal files are looked at.")
    var audit = false

    func validate() throws {
        if let split { try asUsage { () throws(GraftError) in _ = try SplitShares(split) } }
        try require(groupBy == nil || split != nil, "--group-by", "'\(groupBy ?? "")'", "--split beside it")
    }

    /// How `--split` divides the images.
    func division(seed: UInt64) throws(GraftError) -> ImageSplit.Options? {
        guard let split else { return nil }
        return ImageSplit.Options(try SplitShares(split), seed: seed, groups: groupBy)
    }
}

/// `--target`.
extension ImageTask: ExpressibleByArgument {}

/// `--split` of evaluate.
extension DatasetPart: ExpressibleByArgument {
    /// As folders and tables call it.
    public init?(argument: String) { self.init(named: argument) }
}
