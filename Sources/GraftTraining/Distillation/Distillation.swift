import GraftData
import GraftGraph
import GraftModel

/// Teaches a student network what other networks know, on images without labels.
///
///     let teacher = try Teacher.features(of: inception, standardizedOn: views, input: 1)
///     try Distillation(from: [teacher]).teach(student, with: views, epochs: 100, optimizer: AdamW(…))
///
/// Teacher and student see the same view of an image, as a good teacher is consistent and patient (Beyer et al.,
/// arXiv:2106.05237): give views with strong random crops (Asano and Saeed, arXiv:2112.00725, show how far they carry few
/// images), and many epochs. What the student is asked for are linear maps of its features, one for each teacher, which
/// are learned along and left behind.
public struct Distillation: Sendable {
    /// Whom the student learns from.
    public let teachers: [Teacher]

    /// A student of these teachers.
    ///
    /// - Throws: `GraftError` with code `argument` where there is no teacher.
    public init(from teachers: [Teacher]) throws(GraftError) {
        guard !teachers.isEmpty else {
            throw GraftError(.argument, "there is no teacher; a student needs at least one")
        }
        self.teachers = teachers
    }

    /// How far the student's answers are from the teachers': the sum over all of what each teaches (``Teacher/Lesson``),
    /// one number an example.
    public var loss: Loss {
        let lessons = teachers.map { ($0.lesson, $0.width) }
        return Loss("distillation") { answers, targets in
            var (start, sum) = (0, GraphValue?.none)
            for (lesson, width) in lessons {
                let range = start..<(start + width)
                let part = try lesson.losses(answers.columns(range), targets.columns(range))
                sum = try sum.map { try $0 + part } ?? part
                start += width
            }
            guard let sum else { throw GraftError(.argument, "there is no teacher") }
            return sum
        }
    }

    /// The model that trains: the student's features, pooled where they have places, and on them a dense layer for each
    /// teacher, `lesson_0`, `lesson_1`, …, side by side. It shares the student's layers and its seed.
    ///
    /// - Throws: `GraftError` with code `argument` where the student has several outputs, or one that is neither a vector nor
    ///   a map, or where a layer of it is called as a lesson.
    public func trainee(of student: Model) throws(GraftError) -> Model {
        guard let output = student.outputs.first, student.outputs.count == 1 else {
            throw GraftError(
                .argument, "the student \(student.name) has \(student.outputs.count) outputs; a student has one")
        }
        guard [1, 3].contains(output.shape.rank) else {
            throw GraftError(
                .argument,
                "the student \(student.name) gives \(output.shape) for an example; a student gives a vector, or a map of "
                    + "(height, width, channels)")
        }
        let features = output.shape.rank == 3 ? try GlobalAveragePooling2D()(output) : output
        var answers: [SymbolicTensor] = []
        for (number, teacher) in teachers.enumerated() {
            answers.append(try Dense(teacher.width, name: "lesson_\(number)")(features))
        }
        let joined = answers.count == 1 ? answers[0] : try Concatenate()(answers)
        // The student's seed, so that it begins as it would alone.
        return try Model(inputs: student.inputs, outputs: [joined], name: student.name, seed: student.seed)
    }
}

extension GraphValue {
    /// These columns of a matrix.
    fileprivate func columns(_ range: Range<Int>) throws(GraftError) -> GraphValue {
        scope[try scope.graph.slice(id, start: [0, range.lowerBound], shape: [shape[0], range.count])]
    }
}
