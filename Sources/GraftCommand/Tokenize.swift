import ArgumentParser
import Foundation
import Graft

/// `graft tokenize`
struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the tokens of texts.",
        discussion: """
            Prints each token with its id. With --json, standard output carries an object for each text: the ids, the types, which \
            are tokens and not padding, the bytes of the text that each token stands for, and the text that the ids decode to. Texts are \
            --text, or the lines of FILE, each a text, or of .jsonl objects with the members text, pair and special.

            Examples:
              graft tokenize minilm/tokenizer.json --text "My card has not arrived."
              graft tokenize gpt2 questions.txt --json
            """)

    @Argument(
        help: "tokenizer.json, vocab.txt, vocab.json with merges.txt beside it, or a folder with one.",
        completion: .file())
    var tokenizer: String

    @Argument(help: "A file with a text a line, or .jsonl; - for standard input.", completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("A text; several times for several.", valueName: "text"))
    var text: [String] = []

    @OptionGroup(title: "Output") var output: OutputOptions

    private struct Question: Decodable {
        let text: String
        var pair: String?
        var special: Bool?
    }

    func validate() throws {
        guard file != nil || !text.isEmpty else {
            throw ValidationError("Missing expected argument '<file>', or --text")
        }
    }

    func run() throws {
        let console = output.console
        console.outliveReader()
        try explain(on: console) {
            let tokenizer = try Tokenizer(contentsOf: tokenizer)
            for question in try questions() {
                let encoding = try tokenizer.encode(
                    question.text, pair: question.pair, addsSpecialTokens: question.special ?? true)
                show(encoding, tokenizer, on: console)
            }
        }
    }

    private func questions() throws -> [Question] {
        var questions = text.map { Question(text: $0) }
        guard let file else { return questions }
        guard file != "-", LabelledTable.Format(path: file) == .jsonLines else {
            var lines = TextLines()
            try lines.add(file, .usual)
            return questions + lines.texts.map { Question(text: $0) }
        }
        let bytes = try FileBytes.read(file, limit: LabelledTable.maximumByteCount)
        for (number, line) in bytes.split(separator: 0x0A).enumerated() {
            do {
                questions.append(try JSONDecoder().decode(Question.self, from: Data(line)))
            } catch {
                throw GraftError(
                    .format, "\(file): line \(number + 1) is not an object such as {\"text\": \"…\", \"pair\": \"…\"}")
            }
        }
        return questions
    }

    private func show(_ encoding: TokenEncoding, _ tokenizer: Tokenizer, on console: Console) {
        let tokens = zip(encoding.ids, encoding.attentionMask).filter { $1 == 1 }.map { id, _ in
            "\((tokenizer.token(of: Int(id)) ?? "").printable) \(id)"
        }
        console.say(tokens.joined(separator: "  "))
        var object = JSONObject(event: "tokens")
        object.add("ids", .ints(encoding.ids.map { Int($0) }))
        object.add("type_ids", .ints(encoding.typeIDs.map { Int($0) }))
        object.add("mask", .ints(encoding.attentionMask.map { Int($0) }))
        object.add("starts", .ints(encoding.offsets.map(\.lowerBound)))
        object.add("ends", .ints(encoding.offsets.map(\.upperBound)))
        object.add("decoded", .string(tokenizer.decode(encoding.ids)))
        console.emit(object)
    }
}
