import Foundation
import Graft
import Testing

/// Text that others chose, on its way to a terminal: names of classes and files, words of a crafted file.
@Suite struct TerminalTests {
    private let folder: TemporaryFolder
    private let tool: GraftTool

    /// Clears the screen, sets the window's title, begins a line of its own.
    private static let attack = "\u{1B}[2J\u{1B}]0;title\u{7}\u{9B}31m\ngraft: all is well\u{202E}gpj.exe"
    private static let harmless = "\\u{1b}[2J\\u{1b}]0;title\\u{7}\\u{9b}31m\\ngraft: all is well\\u{202e}gpj.exe"

    init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
        try folder.drawPictures(["cats": 2, "dogs": 2], below: "photos")
        let image = Input(shape: [8, 8, 3])
        let model = try Model(
            inputs: image, outputs: Dense(2, activation: .softmax, name: "classes")(Flatten()(image)), seed: 3)
        model.metadata.classNames = [Self.attack, "b\(Self.attack)"]
        model.metadata.setInputRule(.image(ImageRule(height: 8, width: 8)))
        try model.save(folder.url.appending(path: "model.keras").path)
    }

    private func expectHarmless(_ outcome: GraftTool.Outcome, shows text: String = harmless) {
        for text in [outcome.output, outcome.errors] {
            let hidden = text.unicodeScalars.filter {
                ($0.value < 0x20 && $0 != "\n") || (0x7F..<0xA0).contains($0.value)
            }
            #expect(hidden.isEmpty && !text.contains("\u{202E}"), "\(text.debugDescription)")
            #expect(!text.split(separator: "\n").contains { $0.hasPrefix("graft: all is well") })
        }
        #expect((outcome.output + outcome.errors).contains(text), "\(outcome)")
    }

    @Test func namesOfClassesAreEscaped() throws {
        let image = try #require(
            try FileManager.default.subpathsOfDirectory(atPath: folder.url.path).first { $0.hasSuffix("bmp") })
        let outcome = try tool.run(["predict", "model.keras", image])
        #expect(outcome.status == 0)
        expectHarmless(outcome)
        // To programs the names are what they are.
        let json = try tool.run(["predict", "model.keras", image, "--json"])
        expectHarmless(json, shows: "\\u001b[2J\\u001b]0;title\\u0007\\u009b31m\\ngraft: all is well\\u202egpj.exe")
        let line = try #require(json.lines.first { $0.contains("title") })
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        #expect("\(object)".contains("title"))
    }

    @Test func namesOfFilesAndFoldersAreEscaped() throws {
        let name = Self.attack.replacing("/", with: "")
        for arguments in [
            ["predict", "model.keras", "\(name).jpg"], ["predict", "\(name).keras", "a.jpg"],
            ["train", name, "--weights", "none"],
            ["summary", name + ".keras"],
        ] { expectHarmless(try tool.run(arguments)) }
        // Wrong usage, of which the argument parser tells.
        expectHarmless(try tool.run([name]), shows: "there is no verb '\\u{1b}[2J")
        expectHarmless(try tool.run(["predict", "model.keras", "a.jpg", "--\(name)"]), shows: "--\\u{1b}[2J")
    }

    @Test func wordsOfFilesAreEscaped() throws {
        try folder.write(Data("\u{1B}]0;title\u{7} is no archive".utf8), to: "text.keras")
        expectHarmless(try tool.run(["summary", "text.keras"]), shows: "it begins with 1b 5d")
        let attack = Self.attack.replacing("\n", with: "\\n").replacing("\u{1B}", with: "\\u001b").replacing(
            "\u{7}", with: "\\u0007")
        let text = #"{"class_name": "\#(attack)", "config": {}}"#
        try ZipWriter.write(
            [ZipWriter.Member("config.json", bytes: Array(text.utf8))], to: folder.url.appending(path: "c.keras").path)
        expectHarmless(try tool.run(["summary", "c.keras"]), shows: "\\u{1b}[2J")
    }

    /// A result that did not arrive is no success.
    @Test func aFullDiskBehindStandardOutputIsAFailure() throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "\"$0\" bases > /dev/full", GraftTool.executable.path]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(process.terminationStatus == 1)
        #expect(text.hasPrefix("graft: standard output was not written to its end: the disk is full"), "\(text)")
    }
}
