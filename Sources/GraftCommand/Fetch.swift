import ArgumentParser
import Foundation
import Graft

/// `graft fetch`
struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Download and check published weights, or the photos of the demo.",
        discussion: """
            NAME is a base (see graft bases), or cats-and-dogs for the 3,000 photos of the tutorial. What is on this \
            machine already, in Graft's cache or in ~/.keras/models, is not downloaded again.

            Examples:
              graft fetch inception-v3
              graft fetch cats-and-dogs --output photos
            """)

    @Argument(help: "A base, or cats-and-dogs.")
    var name: String

    @Flag(help: "The weights with the classifier on top.")
    var top = false

    @Option(name: [.long, .customShort("o")], help: ArgumentHelp("The folder that photos are unpacked into.", valueName: "folder"))
    var output = "."

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func run() throws {
        let console = outputOptions.console
        try explain(on: console) {
            let fetching = Fetching(console: console)
            if name == "cats-and-dogs" {
                let archive = try fetching.fetch(.catsAndDogs)
                try ZipArchive.extract(archive, to: output)
                console.say("unpacked into \(output)")
            } else {
                let base = try Base.named(name)
                let path = try fetching.fetch(base.weights(includeTop: top))
                console.say(path)
            }
        }
    }
}

/// Downloads with a progress bar.
struct Fetching {
    let console: Console

    /// The path of a published file on this machine, checked; downloaded first where it is not there.
    func fetch(_ file: PublishedFile) throws -> String {
        let console = console
        let path = try FileCache.standard().fetch(file) { progress in
            let received = Double(progress.receivedByteCount) / 1e6
            guard let total = progress.totalByteCount, total > 0 else {
                return console.progress("\(progress.name)  \(received.fixed(1)) MB")
            }
            let bar = ProgressReporter.bar(done: Int(progress.receivedByteCount / 1_000_000), total: Int(total / 1_000_000))
            console.progress("\(progress.name)  \(bar) MB")
        }
        console.closeProgressLine()
        return path
    }
}
