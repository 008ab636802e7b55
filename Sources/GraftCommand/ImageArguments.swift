import ArgumentParser
import Graft

/// How images become the input of a network.
struct ImageArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The height and width in pixels that images are brought to; the network's own if not given.",
            valueName: "pixels"))
    var inputSize: Int?

    @Option(
        help: ArgumentHelp(
            "How images are resized: \(ResizeMethod.allCases.map(\.rawValue).joined(separator: ", ")). (default: keras; "
                + "antialias with --augment)",
            valueName: "method"))
    var resize: ResizeMethod?

    @Option(
        help: ArgumentHelp(
            "What becomes of an image of another proportion: 'stretch' changes its shape and keeps all of it, 'pad' puts black "
                + "beside it and keeps all of it, 'crop' cuts two edges off. (default: stretch)",
            valueName: "stretch|pad|crop"))
    var fit: ImageFit?

    @Option(
        help: ArgumentHelp(
            "Scans (DICOM, 16 bits): the values from black to white, as center:width. 40:400 shows soft tissue in a CT. (default: "
                + "the window in the file, or all values)",
            valueName: "center:width"))
    var window: IntensityWindow?

    @Flag(help: "Leave colours out: the network sees grey.")
    var grey = false

    func validate() throws {
        if let inputSize {
            try require((1...4096).contains(inputSize), "--input-size", inputSize, "1 to 4096 pixels")
        }
    }

    /// The options that were given, but for the size.
    var given: [String] {
        let options: [(name: String, isGiven: Bool)] = [
            ("--resize", resize != nil), ("--fit", fit != nil), ("--window", window != nil), ("--grey", grey),
        ]
        return options.filter(\.isGiven).map(\.name)
    }

    /// What was said, in place of what suits the base and the augmentation.
    func apply(to recipe: inout TrainingRecipe) {
        recipe.inputSize = inputSize ?? recipe.inputSize
        if let resize { recipe.resize = resize }
        recipe.fit = fit ?? recipe.fit
        recipe.window = window
        recipe.isGrey = grey
    }

    /// What was said, in place of what a rule says.
    func apply(to rule: inout ImageRule) {
        if let resize { rule.resize = resize }
        if let fit { rule.fit = fit }
        if let window { rule.window = window }
        if grey { rule.isGrey = true }
    }
}
