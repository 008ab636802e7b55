import ArgumentParser
import Foundation
import Graft

/// What a saved model may leave open, for the verbs that ask it about images.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The height and width in pixels, for a model whose file leaves them open.", valueName: "pixels"))
    var inputSize: Int?

    @Option(
        help: ArgumentHelp(
            "What the classes are called, in the order of the model's outputs, for a model whose file does not say: "
                + "names with commas between them, or a file with one name a line or a JSON list.",
            valueName: "names|file"))
    var classes: ClassNames?

    @Option(
        help: ArgumentHelp(
            "What makes probabilities of the outputs, for a model that ends without softmax or sigmoid; that of the file's "
                + "compile configuration (from_logits=True) if not given.",
            valueName: "softmax|sigmoid"))
    var outputActivation: OutputActivation?

    @Option(
        help: ArgumentHelp(
            "What is done first to pixels from 0 to 255, for a model whose file does not have it: 'own' as the file says, "
                + "'unit' x / 255, 'signed-unit' x / 127.5 - 1, 'torch' (x / 255 - mean) / deviation, 'caffe' BGR minus the "
                + "means. (default: own)",
            valueName: "own|unit|signed-unit|torch|caffe"))
    var preprocessing: PreprocessingOption?

    func validate() throws { try SavedModel.check(inputSize: inputSize) }
}

extension OutputActivation: ExpressibleByArgument {}

/// `--classes`: names, or where they stand.
struct ClassNames: ExpressibleByArgument, Equatable {
    private let argument: String

    init(argument: String) { self.argument = argument }

    /// The names in their order.
    ///
    /// - Throws: `GraftError` where the file cannot be read, and for fewer than two names, or one twice.
    func names() throws(GraftError) -> [String] {
        let names = try argument.contains(",") ? Self.list(argument, separator: ",") : Self.names(inFile: argument)
        guard names.count > 1, !names.contains("") else {
            throw GraftError(
                .argument,
                "--classes: \(argument) gives \(names.count.of("name")); needs one for each class, such as cats,dogs, or a "
                    + "file with one a line")
        }
        var known: Set<String> = []
        if let twice = names.first(where: { !known.insert($0).inserted }) {
            throw GraftError(.argument, "--classes: \(twice) is there twice; each class needs a name of its own")
        }
        return names
    }

    private static func names(inFile path: String) throws(GraftError) -> [String] {
        let bytes: [UInt8]
        do throws(GraftError) {
            bytes = try FileBytes.read(path, limit: fileLimit)
        } catch {
            throw GraftError(
                .file,
                "--classes: there is no file \(path) that can be read; names need commas between them (it \(error.message))"
            )
        }
        if let names = try? Configuration(json: bytes).elements?.map({ try $0.expect($0.text, "a name") }) {
            return names
        }
        return list(String(decoding: bytes, as: UTF8.self), separator: "\n").filter { !$0.isEmpty }
    }

    /// A million names of sixteen letters.
    private static let fileLimit = 16 << 20

    private static func list(_ text: String, separator: Character) -> [String] {
        text.split(separator: separator, omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }
}

/// A model in a file, and the size that its file may leave open.
enum SavedModel {
    static func check(inputSize: Int?) throws {
        if let inputSize {
            try require((1...4096).contains(inputSize), "--input-size", inputSize, "1 to 4096 pixels")
        }
    }

    /// - Throws: `GraftError` where the file is no model, where its sizes are open and none is given, and where they are
    ///   not and another is.
    static func load(_ path: String, inputSize: Int?) throws(GraftError) -> Model {
        let model = try Model.load(path, sizes: InputShapes(inputSize.map { .side($0) }, wayOut: "--input-size 224"))
        guard let inputSize else { return model }
        for shape in model.inputs.map(\.shape) where shape.rank != 3 || shape[0] != inputSize || shape[1] != inputSize {
            throw GraftError(
                .argument,
                "--input-size: \(path) takes \(shape.batchDescription) and nothing else; the option is for models that "
                    + "leave the size open")
        }
        return model
    }

    /// A whole model as a base.
    ///
    /// - Throws: as ``load(_:inputSize:)``, and where it takes no images or is nothing but a classifier.
    static func base(_ path: String, inputSize: Int?) throws(GraftError) -> ModelBase {
        try ModelBase(load(path, inputSize: inputSize), name: path, path: path)
    }

    /// Says what was read in another way than it stands in the file.
    static func tell(_ model: Model, _ path: String, on console: Console) {
        for note in model.readingNotes { console.warn("\(path): \(note)") }
    }

    /// Whether a name is that of a file that may be a model, rather than that of a base.
    static func isNamed(by name: String) -> Bool {
        suffixes.contains(where: name.lowercased().hasSuffix)
    }

    private static let suffixes = [".keras", ".h5", ".hdf5", ".onnx", ".zip"]

    /// The endings that the name of a saved model has.
    static let endings = suffixes.dropLast().joined(separator: ", ") + " or .zip"
}

extension Model {
    /// The same network behind a preprocessing that its file does not have.
    func preceded(by option: PreprocessingOption?) throws(GraftError) -> Model {
        guard case .other(let preprocessing)? = option, preprocessing != .none else { return self }
        return try preceded { (image) throws(GraftError) in try preprocessing.output(for: image) }
    }
}
