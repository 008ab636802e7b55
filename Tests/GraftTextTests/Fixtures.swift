import Foundation

@testable import GraftText

/// Tokenizers and what the `tokenizers` package makes of hostile texts: see Tests/Text/token_ids.py.
enum Fixture {
    static let names = [
        "bert-uncased", "bert-cased", "byte-level", "roberta", "unigram", "unigram-bytes", "sentence-piece", "parts",
        "words",
    ]

    static func bytes(_ name: String) throws -> [UInt8] {
        let url = Bundle.module.resourceURL?.appendingPathComponent("Fixtures/\(name)")
        return Array(try Data(contentsOf: url ?? URL(filePath: "Fixtures/\(name)")))
    }

    static func tokenizer(_ name: String) throws -> Tokenizer { try Tokenizer(json: bytes("\(name).tokenizer.json")) }

    /// A text, and what the package makes of it.
    struct Case: Decodable {
        struct Expected: Decodable {
            let ids: [Int32]
            let typeIDs: [Int32]
            let mask: [Int32]
            let offsets: [[Int]]
            let decoded: String

            enum CodingKeys: String, CodingKey {
                case ids, typeIDs = "type_ids", mask, offsets, decoded
            }
        }

        let text: String
        let pair: String?
        let special: Bool?
        let expected: Expected
    }

    static func cases(_ name: String) throws -> [Case] {
        try bytes("\(name).cases.jsonl").split(separator: 0x0A).map {
            try JSONDecoder().decode(Case.self, from: Data($0))
        }
    }
}

/// Files that are not in the repository, looked for beside the package, or where `GRAFT_SHARED` says.
enum SharedFiles {
    static func path(_ name: String) -> String? {
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/").dropFirst()
        let folder = ProcessInfo.processInfo.environment["GRAFT_SHARED"] ?? "\(root)/../shared"
        let path = "\(folder)/text/\(name)"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }
}

/// The error that a call throws; `nil` where it throws none, or one of another type.
func graftError(_ body: () throws -> Void) -> GraftError? {
    do {
        try body()
        return nil
    } catch {
        return error as? GraftError
    }
}
