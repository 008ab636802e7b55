import Graft

/// The networks of a run of `distill`.
struct DistillNetworks {
    /// The teacher up to what it teaches.
    let teacher: Model
    let student: Model
    /// How images become the student's input, where it is used.
    let studentRule: ImageRule
    /// How they become the teacher's.
    let teacherRule: ImageRule
    private let arguments: DistillTeacherArguments
    private let options: Distill

    /// - Parameter steps: how many steps the student learns.
    /// - Throws: `GraftError` where one of them cannot be had, or does not take images, or does not fit its part.
    init(_ options: Distill, steps: Int, on console: Console) throws {
        (self.options, arguments) = (options, options.teaching)
        let learner = options.student.source
        let source = NetworkSource(name: options.teacher ?? "", choice: arguments.choice, top: arguments.top)
        try Self.refuse(arguments.givenForBasesAlone, of: source)
        if !source.isSavedModel { _ = try source.named() }
        // Before the teacher's weights are read: what is wrong with the student is found at once.
        let network = try learner.model(on: console, seed: options.training.seed ?? 0)
        student =
            learner.isSavedModel
            ? network
            : try network.withStatisticsMomentum(atMost: DistillTrainingArguments.statisticsMomentum(steps: steps))
        var rule = try Classifier.rule(of: student, learner.name)
        rule.resize = options.student.resize ?? (learner.isSavedModel ? rule.resize : .antialias)
        studentRule = rule
        student.metadata.setInputRule(.image(rule))
        let whole = try Self.teacher(source, on: console)
        teacherRule = try Classifier.rule(of: whole, source.name)
        let usualCut = source.isSavedModel || arguments.top ? nil : try source.named().defaultCut
        teacher = try source.cut(whole, at: usualCut)
        try check(learner, source)
    }

    private static func refuse(_ given: [String], of source: NetworkSource) throws(GraftError) {
        guard source.isSavedModel, !given.isEmpty else { return }
        throw GraftError(
            .argument,
            "\(given.joined(separator: ", ")): for bases alone; \(source.name) is a model as it was saved")
    }

    /// A saved model keeps its classifier: `--top` says what is made of it.
    private static func teacher(_ source: NetworkSource, on console: Console) throws -> Model {
        guard source.isSavedModel else { return try source.model(on: console) }
        do throws(GraftError) {
            return try SavedModel.load(source.name, inputSize: source.choice.inputSize)
        } catch {
            // Here the option has another name.
            throw GraftError(
                error.code, error.message.replacing("--input-size", with: "--teacher-size"), cause: error.cause)
        }
    }

    private func check(_ learner: NetworkSource, _ source: NetworkSource) throws(GraftError) {
        if learner.isSavedModel, student.metadata.classNames != nil {
            throw GraftError(
                .argument,
                "--student: \(learner.name) is a classifier, and a student gives features; name a base, or a student that "
                    + "graft distill wrote")
        }
        if source.isSavedModel, teacher.metadata.classNames != nil, !arguments.top {
            throw GraftError(
                .argument,
                "\(source.name) is a classifier: give --top to teach its class probabilities, or --cut LAYER to teach the "
                    + "features of a layer; graft summary lists the layers")
        }
        guard studentRule.channels == teacherRule.channels else {
            throw GraftError(
                .argument,
                "the teacher takes images of \(teacherRule.channels.of("channel")), the student of "
                    + "\(studentRule.channels.of("channel")); they see the same image, so both must take as many")
        }
    }

    /// The sizes that an image is brought to: the student's, and the teacher's where it is another.
    var sizes: [Size2D] {
        let (own, other) = (
            Size2D(studentRule.height, studentRule.width), Size2D(teacherRule.height, teacherRule.width)
        )
        return own == other ? [own] : [own, other]
    }

    /// The teacher ready to teach; its features standardized on some images.
    func makeTeacher(
        standardizedOn sample: any Dataset, _ trainingOptions: TrainingOptions, progress: @escaping (Progress) -> Void
    ) throws -> Teacher {
        let input = sizes.count - 1
        if arguments.top {
            return try Teacher.classes(of: teacher, temperature: arguments.temperature ?? 2, input: input)
        }
        return try Teacher.features(
            of: teacher, standardizedOn: sample, count: sample.count, input: input, options: trainingOptions,
            progress: progress)
    }

    /// What they are, in words.
    var lines: [String] {
        let output = teacher.outputs.first?.shape ?? []
        let place = arguments.cut.map { " cut at \($0)" } ?? ""
        let lesson =
            arguments.top
            ? "\(max(output.last, 2).grouped) classes at temperature \(arguments.temperature ?? 2)"
            : "\(output.last.grouped) features"
        let beginning = options.student.source.isSavedModel ? "as it was saved" : "from random weights"
        return [
            "teacher: \(teacher.name)\(place), \(lesson), from images of \(teacherRule.height) × \(teacherRule.width)",
            "student: \(student.name) \(beginning), \(student.countParameters().grouped) parameters, of images of "
                + "\(studentRule.height) × \(studentRule.width)",
        ]
    }
}

extension Model {
    /// The same network, with values that are not drawn yet, whose batch normalizations have this momentum at most.
    func withStatisticsMomentum(atMost momentum: Double) throws(GraftError) -> Model {
        let copy = try Model.deserialize(serialized.withStatisticsMomentum(atMost: momentum))
        (copy.seed, copy.metadata, copy.layerFlags) = (seed, metadata, layerFlags)
        return copy
    }
}

extension Configuration {
    fileprivate func withStatisticsMomentum(atMost momentum: Double) -> Configuration {
        switch self {
        case .array(let elements): return .array(elements.map { $0.withStatisticsMomentum(atMost: momentum) })
        case .object(var members):
            members = members.mapValues { $0.withStatisticsMomentum(atMost: momentum) }
            if self["class_name"]?.text == BatchNormalization.className, var config = members["config"]?.members,
                let own = config["momentum"]?.number
            {
                config["momentum"] = .double(min(own, momentum))
                members["config"] = .object(config)
            }
            return .object(members)
        default: return self
        }
    }
}
