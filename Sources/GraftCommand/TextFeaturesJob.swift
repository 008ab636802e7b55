import Graft

/// What `graft features` does with texts.
struct TextFeaturesJob {
    let options: Features
    let console: Console

    func run() throws {
        let start = ContinuousClock.now
        let given = options.source.choice.givenForImagesAlone + (options.top ? ["--top"] : [])
        guard given.isEmpty else {
            throw GraftError(.argument, "\(given.joined(separator: ", ")): for images; \(options.network) takes texts")
        }
        var recipe = try TextBase(name: options.network, weights: options.source.weights, options.textBase).recipe()
        if let cut = options.source.cut { recipe.cut = cut }
        var lines = TextLines()
        try lines.add(options.images, options.texts.columns)
        console.list(lines.problems.map(\.description), title: "left out")
        guard !lines.texts.isEmpty else { throw GraftError(.data, "\(options.images) holds no texts") }
        let interruption = Interruption(on: console, saying: "stopping; Ctrl-C again ends the program at once")
        let embeddings = try recipe.embeddings(
            of: lines.texts, isUnit: options.unit,
            options: options.machine.trainingOptions(cancellation: interruption.cancellation)
        ) { console.progress(ProgressLine("features", $0)) }
        console.closeProgressLine()
        let writer = try NumpyWriter(creating: options.output, rowShape: [embeddings.shape.last])
        try writer.append(embeddings)
        try writer.finish()
        console.say("wrote \(options.output): \(lines.texts.count.of("row")) of \(embeddings.shape.last)")
        var object = JSONObject(event: "done")
        object.add("features", .string(options.output))
        object.add("texts", .int(lines.texts.count))
        object.add("seconds", .number(start.secondsAgo))
        object.add("left_out", .strings(lines.problems.map(\.path)))
        console.emit(object)
        withExtendedLifetime(interruption) {}
    }
}
