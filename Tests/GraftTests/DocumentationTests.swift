import Foundation
import Testing

/// The code of the documents, which CI builds as an example.
@Suite struct DocumentationTests {
    private func text(_ path: String) throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8).components(separatedBy: "\n")
    }

    @Test(arguments: ["Documentation/Classifier.md", "README.md"])
    func codeIsThatOfTheExample(page: String) throws {
        let example = try text("Examples/Leaves/Sources/main.swift")
        let blocks = try text(page).split(separator: "```swift", omittingEmptySubsequences: false).dropFirst()
            .map { Array($0.prefix { $0 != "```" }) }
            .filter { page != "README.md" || $0.contains { $0.contains("Classifier") } }
        #expect(!blocks.isEmpty)
        for block in blocks {
            // README's code stands at the margin.
            let lines = block.map { $0.trimmingCharacters(in: .whitespaces) }
            let found = example.indices.contains { start in
                example[start...].prefix(lines.count).map { $0.trimmingCharacters(in: .whitespaces) } == lines
            }
            #expect(found, "\(page): \(lines.joined(separator: "\n"))")
        }
    }
}
