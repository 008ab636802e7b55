import Foundation
import Graft

/// One training of a design.
struct PocketTraining {
    private let arguments: Arguments
    private let design: Design
    private let size: Int
    private let teacherSize: Int
    private let options: TrainingOptions

    init(_ arguments: Arguments) throws {
        let name = arguments.text("design", Design.plain.rawValue)
        guard let design = Design(rawValue: name) else {
            let known = Design.allCases.map(\.rawValue).joined(separator: ", ")
            throw GraftError(.argument, "design=\(name): there are \(known)")
        }
        (self.arguments, self.design) = (arguments, design)
        size = try arguments.count("size", 96)
        teacherSize = try arguments.count("teacher", 128)
        options = TrainingOptions(features: .off, threads: try arguments.count("threads", 1), precision: .float32)
    }

    func run() throws {
        let images = try views()
        let (batch, epochs) = (try arguments.count("batch", 64), try arguments.count("epochs", 70))
        say("\(images.count) images, design \(design), size \(size), epochs \(epochs), views \(images.views)")
        let teachers = try teachers(images)
        let student = try design.features(size: size)
        if let start = arguments.text("start") { try takeVariables(of: Model.load(start), into: student) }
        say("\(student.countParameters()) parameters")
        let output = arguments.text("output", "pocket.keras")
        let begin = Date()
        let log = EventHandler { event in
            guard case .epoch(let report) = event else { return }
            let seconds = Date().timeIntervalSince(begin)
            say("epoch \(report.epoch) loss \(report.figures["loss"] ?? .nan) \(report.seconds) s, \(seconds) s in all")
            if report.epoch % 5 == 0 { try student.save(output) }
        }
        let steps = epochs * ((images.count + batch - 1) / batch)
        try Distillation(from: teachers).teach(
            student, with: images, batchSize: batch, epochs: epochs, optimizer: try optimizer(steps: steps), seed: 1,
            callbacks: [log], options: options, teacherPrecision: .float32, answersMemory: 8 << 30,
            checkpoint: arguments.text("checkpoint").map { Checkpointing($0, every: .seconds(300)) })
        try student.save(output)
    }

    /// Goes on from an earlier training, perhaps of another input size.
    private func takeVariables(of earlier: Model, into student: Model) throws {
        let values = Dictionary(uniqueKeysWithValues: earlier.variables.map { ($0.path, $0.value) })
        for variable in student.variables {
            guard let value = values[variable.path], value.shape == variable.shape else {
                throw GraftError(.argument, "the earlier model has no \(variable.path) of \(variable.shape)")
            }
            variable.value = value
        }
    }

    /// Views of all images in an order whose first thousand are a fair sample, each at the student's size and at the teacher's.
    private func views() throws -> AugmentedImages {
        let rule = ImageRule(height: size, width: size)
        var paths: [String] = []
        for folder in arguments.words { paths += try ImageFiles(below: folder, rule: rule).paths }
        let every = max(try arguments.count("every", 1), 1)
        let stride = Self.stride(through: paths.count)
        paths = paths.indices.map { paths[$0 * stride % paths.count] }
        paths = paths.enumerated().filter { $0.offset % every == 0 }.map(\.element)
        var recipe = Augmentation()
        recipe.horizontalFlip = 0.5
        recipe.cropArea = try arguments.number("crop", 0.25)...1
        (recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue) = (0.15, 0.3, 0.3, 0.03)
        recipe.grayscale = 0.05
        recipe.rotation = 8
        return try AugmentedImages(
            ImageFiles(paths: paths, rule: rule, threads: options.threads), recipe, views: arguments.count("views", 10),
            seed: 1, sizes: [Size2D(size), Size2D(teacherSize)], cacheLimit: 3 << 30)
    }

    /// A step that visits each of `count` places once, far apart from one another: near the golden section.
    private static func stride(through count: Int) -> Int {
        func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
        var stride = max(Int(Double(count) * 0.618), 1)
        while divisor(stride, count) != 1 { stride += 1 }
        return stride
    }

    /// EfficientNet-Lite0 twice: its features, and its class probabilities.
    private func teachers(_ images: AugmentedImages) throws -> [Teacher] {
        let logits = try EfficientNetLite0(
            weights: .file(arguments.text("lite0", "efficientnet_lite0.safetensors")),
            inputShape: [teacherSize, teacherSize, 3], classifierActivation: .linear)
        let features = try Model(
            inputs: logits.input, outputs: logits.layer(named: "top_activation").output, name: "lite0_features")
        return [
            try .features(of: features, standardizedOn: images, count: 1000, input: 1, options: options),
            try Teacher(logits, lesson: .logits(temperature: 2, weight: 0.25), input: 1),
        ]
    }

    private func optimizer(steps: Int) throws -> AdamW {
        let warmup = steps / 20
        let schedule = LearningRateSchedule.cosineDecay(
            initial: 0, decaySteps: steps - warmup, warmupTarget: Float(try arguments.number("rate", 2e-3)),
            warmupSteps: warmup)
        return AdamW(
            learningRate: schedule, weightDecay: Float(try arguments.number("decay", 0.05)),
            settings: .init(excludedFromWeightDecay: OptimizerSettings.biasesAndNormalization))
    }
}

/// A line at once, also into a file.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
