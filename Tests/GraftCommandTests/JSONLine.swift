import Foundation

/// A line of `--json` as another program reads it, with the names of its members in the order of the text.
struct JSONLine {
    let object: [String: Any]
    let names: [String]

    init?(_ line: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
            return nil
        }
        self.object = object
        names = object.keys.sorted { Self.position(of: $0, in: line) < Self.position(of: $1, in: line) }
    }

    func string(_ name: String) -> String? { object[name] as? String }
    func number(_ name: String) -> Double? { (object[name] as? NSNumber)?.doubleValue }
    func bool(_ name: String) -> Bool? { object[name] as? Bool }
    func strings(_ name: String) -> [String]? { object[name] as? [String] }

    private static func position(of name: String, in line: String) -> String.Index {
        line.range(of: "\"\(name)\":")?.lowerBound ?? line.endIndex
    }
}
