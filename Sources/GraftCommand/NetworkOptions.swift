import ArgumentParser
import Graft

/// Which pretrained network, and how much of it.
struct NetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The pretrained network: \(Base.all.map(\.id).joined(separator: ", ")).", valueName: "name"))
    var base = "inception-v3"

    @OptionGroup var source: BaseArguments
}

/// What a base network is made of, for every verb that takes one.
struct BaseArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Its weights: a file that Keras publishes, 'imagenet' for the published ones of this network (found on this "
                + "machine or downloaded), or 'none' for random ones.",
            valueName: "file|imagenet|none"))
    var weights = WeightsOption.imagenet

    @Option(
        help: ArgumentHelp(
            "The height and width in pixels that images are brought to; the network's own if not given.",
            valueName: "pixels"))
    var inputSize: Int?

    @Option(
        help: ArgumentHelp(
            "The layer at which the network is cut off; the network's usual one if not given.", valueName: "layer"))
    var cut: String?

    @Option(
        help: ArgumentHelp(
            "How images are resized: \(ResizeMethod.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "method"))
    var resize = ResizeMethod.keras

    func validate() throws {
        if let inputSize, !(1...4096).contains(inputSize) {
            throw ValidationError("--input-size: got \(inputSize), needs 1 to 4096 pixels")
        }
    }
}
