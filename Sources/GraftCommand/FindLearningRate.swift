import ArgumentParser
import Graft

/// `graft find-learning-rate`
struct FindLearningRate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find-learning-rate",
        abstract: "Try learning rates on your images and suggest one.",
        discussion: """
            Trains a new head as graft train does, while the learning rate rises step by step, and notes the loss. The \
            suggestion is a tenth of the rate at which the loss was smallest; a chart shows the whole curve. Nothing else \
            is written.

            Example:
              graft find-learning-rate photos --base inception-v3 --cut mixed7
            """)

    @Argument(help: "The folder of images, or a table that names them (.csv, .jsonl).", completion: .file())
    var images: String

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Option(
        help: ArgumentHelp(
            "The layers between the cut and the output: \(Head.forms).", valueName: "layers"))
    var head: String?

    @Option(help: ArgumentHelp("The optimizer: \(OptimizerName.list).", valueName: "name"))
    var optimizer = OptimizerName.rmsprop

    @Option(help: ArgumentHelp("The learning rate of the first step.", valueName: "rate"))
    var from: Float = 1e-7

    @Option(help: ArgumentHelp("The learning rate of the last step.", valueName: "rate"))
    var to: Float = 1

    @Option(help: ArgumentHelp("The number of steps.", valueName: "N"))
    var steps = 100

    @Option(help: ArgumentHelp("Examples in a step.", valueName: "N"))
    var batchSize = 20

    @Option(help: ArgumentHelp("Decides the initial weights and the order of images.", valueName: "N"))
    var seed: UInt64 = 0

    @OptionGroup(title: "Machine") var machine: MachineOptions

    @Option(
        name: [.long, .customShort("o")], help: ArgumentHelp("Where the chart is written.", valueName: "file.svg"))
    var output = "learning-rate.svg"

    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    func validate() throws {
        try require(output.hasSuffix(".svg"), "--output", "'\(output)'", "a name that ends in .svg")
        try require((1...65536).contains(batchSize), "--batch-size", batchSize, "1 to 65536")
        try require((2...100_000).contains(steps), "--steps", steps, "2 to 100000")
        try require(from > 0 && from.isFinite, "--from", from, "a number above 0")
        try require(to > from && to.isFinite, "--to", to, "a number above --from")
        if let head { try asUsage { () throws(GraftError) in try Head(option: head) } }
    }

    func run() throws {
        let console = outputOptions.console
        try explain(on: console) {
            try OutputFile.check(output)
            try machine.checkPrecision()
            var recipe = try network.recipe(head: head)
            (recipe.seed, recipe.penalty) = (seed, 0)
            let photos = try LabelledImages(at: images, rule: recipe.rule, threads: machine.threads)
            console.list(photos.problems.map(\.description), title: "left out")
            let model = try recipe.model(for: photos, isOffline: network.source.offline, on: console)
            var options = machine.trainingOptions(trains: true)
            try recipe.adaptStandardization(of: model, to: photos.training, options: options)
            try model.compile(
                optimizer: optimizer.optimizer(learningRate: .constant(from)),
                loss: photos.task.loss(outputs: model.output.shape.last))
            let settled = try SettledPrecision(options.precision) {
                try recipe.features(of: model).costOfBFloat16(
                    on: photos.training, options: TrainingOptions(threads: machine.threads))
            }
            settled.tell(on: console)
            let interruption = Interruption(on: console, saying: "stopping after this step")
            (options.precision, options.cancellation) = (settled.precision, interruption.cancellation)
            let curve = try model.findLearningRate(
                photos.training, from: from, to: to, steps: steps, batchSize: batchSize, seed: seed,
                options: options)
            try curve.writeChart(to: output)
            tell(curve, on: console)
        }
    }

    private func tell(_ curve: LearningRateCurve, on console: Console) {
        if let rate = curve.suggested {
            console.say("suggestion: --learning-rate \(rate.asLearningRate)")
        } else {
            console.say("the loss never fell: no rate can be suggested; try another optimizer or more steps")
        }
        console.say("the curve of \(curve.rates.count.of("step")) is in \(output)")
        var object = JSONObject(event: "learning-rate")
        object.add("suggestion", curve.suggested.map { .number(Double($0.asLearningRate) ?? Double($0)) } ?? .null)
        object.add("steps", .int(curve.rates.count))
        object.add("chart", .string(output))
        console.emit(object)
    }
}
