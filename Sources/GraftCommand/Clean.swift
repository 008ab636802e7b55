import ArgumentParser
import Graft

/// `graft clean`
struct Clean: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the labels that look wrong, and the images that are there twice.",
        discussion: """
            Every image is judged by linear models on what the model's network knows of it, which have not seen that image: a label that \
            they are sure is another is listed, the worst first. About half of what is listed so is usually right as it is: look \
            before you change a label. Then come files that cannot be used, copies, and images that are in training and validation \
            alike. Nothing is changed.

            Where the network was fine-tuned on these images it knows their labels, wrong ones too, and finds fewer: take a model \
            whose base stayed frozen.

            Example:
              graft clean photos --model cats-and-dogs.keras
            """)

    @Argument(help: "The folder of images, or a table that names them (.csv, .jsonl).", completion: .file())
    var images: String

    @Option(
        help: ArgumentHelp("A model of the same classes that graft or Keras wrote.", valueName: "model.keras"),
        completion: .file(extensions: ["keras"]))
    var model: String

    @Option(help: ArgumentHelp("How many labels to list.", valueName: "N"))
    var most = 50

    @Flag(help: "In --json every image, the least plausible label first, not only those that look wrong.")
    var all = false

    @OptionGroup(title: "Model") var options: ModelOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws { try require(most >= 1, "--most", most, "at least 1") }

    func run() throws {
        let console = output.console
        try explain(on: console) {
            let classifier = try Classifier(model, options, machine)
            let assessed = try AssessedImages(images, for: classifier, threads: machine.threads)
            let audit = try AuditReport.audit(images, threads: machine.threads, on: console)
            var wanted = ModelReport.Options()
            wanted.audit = audit
            wanted.knownLimit = .max
            let progress = console
            wanted.progress = { activity, done, count in progress.progress("\(activity) \(done)/\(count)") }
            let labels = try ModelReport.labels(
                of: classifier, in: assessed.judged, knowing: assessed.known, options: wanted)
            console.closeProgressLine()
            let suspects = labels.filter(\.isSuspected)
            console.say(
                "\(suspects.count) of \(labels.count) labels look wrong\(suspects.isEmpty ? "" : "; about half of such are usually right as they are:")"
            )
            for suspect in suspects.prefix(most) {
                console.say(
                    "  \(suspect.path): \(suspect.label) \((suspect.given * 100).fixed(1)) %, perhaps \(suspect.suggestion) \((suspect.suggested * 100).fixed(1)) %"
                )
            }
            if suspects.count > most {
                console.say("  and \((suspects.count - most).grouped) more: --most")
            }
            AuditReport(audit).show(on: console)
            ReportObject.emit(all ? labels : suspects, on: console)
            AuditReport(audit).emit(on: console)
        }
    }
}
