import ArgumentParser
import Foundation
import Graft
import GraftDigest

/// A verb whose runs are kept in checkpoints, with its options.
protocol ResumableCommand: ParsableCommand {
    /// `train`.
    static var verb: String { get }
    /// All options that decide what a run does, each once.
    static var keptOptions: [KeptOption<Self>] { get }
}

/// An option as a checkpoint keeps it: its value under its name, where one was given.
struct KeptOption<Verb> {
    /// `--epochs`; without dashes for an argument that is no option.
    let name: String
    /// Whether a command that goes on with the run may say another value.
    let isFree: Bool
    /// The value's text; `nil` where none was given.
    let text: (Verb) -> String?
    /// Takes the value of a text, and says whether it is one; none was given where the text is `nil`.
    let take: (String?, inout Verb) -> Bool

    /// An option with a value.
    static func value<Value: ExpressibleByArgument>(
        _ name: String, _ path: WritableKeyPath<Verb, Value?>, isFree: Bool = false
    ) -> KeptOption {
        KeptOption(name: name, isFree: isFree) {
            $0[keyPath: path]?.defaultValueDescription
        } take: { text, verb in
            let value = text.flatMap(Value.init(argument:))
            verb[keyPath: path] = value
            return (text == nil) == (value == nil)
        }
    }

    /// An option without a value.
    static func flag(_ name: String, _ path: WritableKeyPath<Verb, Bool>, isFree: Bool = false) -> KeptOption {
        KeptOption(name: name, isFree: isFree) {
            $0[keyPath: path] ? "true" : nil
        } take: { text, verb in
            verb[keyPath: path] = text == "true"
            return text == nil || text == "true"
        }
    }
}

/// The command that began a run, as a checkpoint keeps it.
struct KeptCommand: Equatable {
    /// `train` or `distill`.
    var verb: String
    /// Where it was given: its paths are as seen from there.
    var folder: String
    /// The values that were given, by the options' names.
    var options: [String: String]

    /// A command as it was parsed, given here.
    init<Verb: ResumableCommand>(_ command: Verb) {
        verb = Verb.verb
        folder = FileManager.default.currentDirectoryPath
        options = Self.options(of: command)
    }

    /// Takes what ``configuration`` gave, or what was kept before options were: the words of the command, which are parsed
    /// as they were.
    ///
    /// - Throws: `GraftError` with code `format` where it is neither, or of another verb.
    init<Verb: ResumableCommand>(_ configuration: Configuration?, of type: Verb.Type, path: String) throws(GraftError) {
        let other = GraftError(
            .format, "--resume: \(path) is the checkpoint of another program than graft \(Verb.verb)")
        // The first checkpoints name no verb: they are train's.
        guard let configuration, (configuration["verb"]?.text ?? "train") == Verb.verb else { throw other }
        verb = Verb.verb
        folder = configuration["folder"]?.text ?? FileManager.default.currentDirectoryPath
        if let options = configuration["options"]?.members {
            self.options = options.compactMapValues(\.text)
        } else if let words = configuration["arguments"]?.elements?.compactMap(\.text) {
            guard let command = try? Verb.parse(words) else { throw Self.unknown(words.joined(separator: " "), path) }
            options = Self.options(of: command)
        } else {
            throw other
        }
    }

    /// Which run this is, wherever it writes: one that was begun with the same words is the same run, begun anew.
    var run: String {
        let words = options.filter { $0.key != "--output" }.mapValues { Configuration.string($0) }
        var hash = SHA256()
        hash.update((["verb": .string(verb), "options": .object(words)] as Configuration).json())
        return hash.finalize().hexadecimal
    }

    /// For a checkpoint's notes.
    var configuration: Configuration {
        [
            "verb": .string(verb), "folder": .string(folder),
            "options": .object(options.mapValues { .string($0) }),
        ]
    }

    /// The command that goes on with the run: its own words, and for all else what the run was begun with.
    ///
    /// - Throws: `GraftError` with code `argument` where it says another value than the run was begun with, `format` for
    ///   options that are not known.
    func resumed<Verb: ResumableCommand>(by command: Verb, path: String) throws(GraftError) -> Verb {
        try check(command)
        let known = Set(Verb.keptOptions.map(\.name))
        if let (name, text) = options.first(where: { !known.contains($0.key) }) {
            throw Self.unknown("\(name) \(text)", path)
        }
        var result = command
        for option in Verb.keptOptions where !(option.isFree && option.text(command) != nil) {
            guard option.take(options[option.name], &result) else {
                throw Self.unknown("\(option.name) \(options[option.name] ?? "")", path)
            }
        }
        return result
    }

    private func check<Verb: ResumableCommand>(_ command: Verb) throws(GraftError) {
        for option in Verb.keptOptions.sorted(by: { $0.name < $1.name }) where !option.isFree {
            guard let text = option.text(command), options[option.name] != text else { continue }
            let before = options[option.name].map { "with \(option.name) \($0)" } ?? "without \(option.name)"
            throw GraftError(
                .argument,
                "\(option.name): the run was begun \(before) and goes on so; leave the option out, or train anew without "
                    + "--resume")
        }
    }

    private static func options<Verb: ResumableCommand>(of command: Verb) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: Verb.keptOptions.compactMap { option in
                option.text(command).map { (option.name, $0) }
            })
    }

    private static func unknown(_ options: String, _ path: String) -> GraftError {
        GraftError(
            .format,
            "--resume: this graft does not know the options of \(path): \(options); go on with the graft that began the run, "
                + "or train anew")
    }
}
