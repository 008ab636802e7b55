import Graft

/// A verb, words, and settings of the form `name=value`.
struct Arguments {
    let verb: String
    private(set) var words: [String] = []
    private var settings: [String: String] = [:]

    init(_ arguments: some Sequence<String>) throws {
        var all = Array(arguments)
        verb = all.isEmpty ? "" : all.removeFirst()
        for argument in all {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { settings[parts[0]] = parts[1] } else { words.append(argument) }
        }
    }

    func text(_ name: String) -> String? { settings[name] }

    func text(_ name: String, _ usual: String) -> String { settings[name] ?? usual }

    func number(_ name: String, _ usual: Double) throws -> Double {
        guard let text = settings[name] else { return usual }
        guard let number = Double(text) else { throw GraftError(.argument, "\(name)=\(text) is no number") }
        return number
    }

    func count(_ name: String, _ usual: Int) throws -> Int { Int(try number(name, Double(usual))) }
}
