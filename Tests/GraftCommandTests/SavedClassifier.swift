import Foundation
import Testing

/// A small classifier that the command trained, with all that it said: red and blue pictures, and a text file among them.
struct SavedClassifier {
    let folder: TemporaryFolder
    let tool: GraftTool
    let training: GraftTool.Outcome

    /// The network and head of every run here: random weights, cut early, so that a debug build is fast enough.
    static let network = [
        "--weights", "none", "--input-size", "75", "--cut", "mixed0", "--head", "average-pool", "--batch-size", "4",
        "--learning-rate", "0.01", "--threads", "2",
    ]

    /// Trained once, for all tests that only read it.
    static let shared = Result { try SavedClassifier() }

    private init() throws {
        folder = try TemporaryFolder()
        tool = GraftTool(folder: folder.url)
        try folder.drawPictures(["blue": 6, "red": 6], below: "photos")
        try folder.write(Data("no picture".utf8), to: "photos/blue/text.jpg")
        training = try tool.run(
            ["train", "photos", "--epochs", "2", "--output", "model.keras", "--json"] + Self.network)
    }
}
