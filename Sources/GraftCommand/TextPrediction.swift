import ArgumentParser
import Foundation
import Graft

/// What `graft predict` does with a model of texts.
struct TextPrediction {
    let options: Predict
    let console: Console

    func run(_ network: Model) throws {
        let classifier = try TextClassifier(network, named: options.model, options: options.machine.trainingOptions())
        try checkOptions()
        var texts = TextLines()
        for text in options.text { try texts.add([text], from: "--text") }
        for file in options.files { try texts.add(file, options.texts.columns) }
        for problem in texts.problems { console.warn("left out: \(problem)") }
        guard !texts.texts.isEmpty else { throw GraftError(.data, "there is no text to ask about") }
        for (answer, text) in zip(try classifier.classify(texts.texts, names: texts.names), texts.texts) {
            let shown = PredictionText(answer, of: classifier.outputs, top: options.top ?? Self.usualTop)
            console.say(shown.line)
            var object = shown.object
            object.add("text", .string(text))
            console.emit(object)
        }
    }

    /// Intents are dozens: so many are shown.
    private static let usualTop = 5

    private func checkOptions() throws(GraftError) {
        let given = [
            ("--coverage", options.coverage != nil), ("--activation-maps", options.activationMaps != nil),
            ("--output-activation", options.options.outputActivation != nil), ("--views", options.views.views != nil),
        ].filter(\.1).map(\.0)
        guard given.isEmpty else {
            throw GraftError(
                .argument, "\(given.joined(separator: ", ")): for models of images; \(options.model) takes texts")
        }
    }
}

/// Texts that arguments name: files with a text a line, tables, folders of `.txt` files, and `-` for standard input.
struct TextLines {
    private(set) var texts: [String] = []
    private(set) var names: [String] = []
    private(set) var problems: [FileProblem] = []

    /// The most bytes of standard input.
    private static let maximumByteCount = 1 << 29

    mutating func add(_ texts: [String], from place: String) throws(GraftError) {
        for (number, text) in texts.enumerated() {
            self.texts.append(text)
            names.append(texts.count == 1 ? text.prefix(60).description.printable : "\(place):\(number + 1)")
        }
    }

    /// The texts of an argument.
    ///
    /// - Throws: `GraftError` where it cannot be read.
    mutating func add(_ argument: String, _ columns: TextListing.Columns) throws {
        if argument == "-" {
            return try add(TextFile.lines(Self.standardInput()), from: "-")
        }
        guard LabelledTable.Format(path: argument) == nil, !Self.isFolder(argument) else {
            let listing = try TextListing(at: argument, columns: columns)
            texts += listing.entries.map(\.text)
            names += listing.entries.map(\.name)
            problems += listing.problems
            return
        }
        try add(TextFile.lines(contentsOf: argument), from: argument)
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private static func standardInput() throws(GraftError) -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            while let part = try FileHandle.standardInput.read(upToCount: 1 << 20), !part.isEmpty {
                bytes += part
                guard bytes.count <= maximumByteCount else { break }
            }
        } catch {
            throw GraftError(.file, "-: standard input cannot be read", cause: error)
        }
        guard bytes.count <= maximumByteCount else {
            throw GraftError(
                .format, "-: standard input has more than \(maximumByteCount) bytes; give fewer texts at once")
        }
        return bytes
    }
}
