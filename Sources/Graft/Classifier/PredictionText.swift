import GraftModel

/// How `graft predict` shows what a model says of one image, and a server what it was asked.
public struct PredictionText: Sendable {
    /// For people.
    public let line: String
    /// For programs: a line of `graft predict --json`.
    public let object: JSONObject

    /// Features are thousands: so many are shown to people.
    private static let shownFeatureCount = 4

    /// Shows an answer.
    ///
    /// - Parameters:
    ///   - answer: what a classifier says of an image.
    ///   - outputs: what the classifier's numbers are.
    ///   - top: how many classes are shown; all where it is `nil`.
    public init(_ answer: Classification, of outputs: ClassifierOutputs, top: Int?) {
        let ranked = Array(answer.classes.prefix(top ?? answer.classes.count))
        var object = JSONObject(event: "prediction")
        object.add("path", .string(answer.name))
        if let best = ranked.first, outputs.meaning != .labels { object.add("class", .string(best.name)) }
        let text: String
        switch outputs.meaning {
        case .probabilities, .activated:
            text = ranked.map { "\($0.name) \(($0.value * 100).fixed(2)) %" }.joined(separator: ", ")
            object.add("probabilities", .object(Self.object(of: ranked)))
        case .labels:
            let likely = answer.likely
            text =
                (likely.isEmpty ? "none" : likely.map(\.name).joined(separator: ", ")) + "  ("
                + ranked.map { "\($0.name) \(($0.value * 100).fixed(2)) %" }.joined(separator: ", ") + ")"
            object.add("labels", .strings(likely.map(\.name)))
            object.add("probabilities", .object(Self.object(of: ranked)))
        case .values:
            text = answer.outputs.map { $0.fixed(4) }.joined(separator: ", ")
            object.add("values", .numbers(answer.outputs))
        case .scores:
            text = "scores " + ranked.map { "\($0.name) \($0.value.fixed(4))" }.joined(separator: ", ")
            object.add("scores", .object(Self.object(of: ranked)))
        case .features:
            let all = answer.outputs
            let first = all.prefix(Self.shownFeatureCount).map { $0.fixed(4) }.joined(separator: ", ")
            text =
                "\(all.count.grouped) feature\(all.count == 1 ? "" : "s") \(first)\(all.count > Self.shownFeatureCount ? ", …" : "")"
            object.add("features", .numbers(all))
        }
        line = "\(answer.name): \(text)\(Self.doubts(answer))"
        if let assessment = answer.assessment {
            object.add("confidence", .number(assessment.confidence))
            object.add("sure", .bool(assessment.isSure))
            object.add("known", .bool(assessment.isKnown))
            if let distance = assessment.distance { object.add("distance", .number(distance)) }
        }
        if let set = answer.set { object.add("set", .strings(set)) }
        self.object = object
    }

    /// What somebody should know who believes the answer.
    private static func doubts(_ answer: Classification) -> String {
        var words: [String] = []
        if let assessment = answer.assessment {
            if !assessment.isKnown {
                words.append("unlike anything in training")
            } else if !assessment.isSure {
                words.append("not sure")
            }
        }
        if let set = answer.set {
            words.append(set.isEmpty ? "none of the classes" : "one of: \(set.joined(separator: ", "))")
        }
        return words.isEmpty ? "" : "  (\(words.joined(separator: "; ")))"
    }

    private static func object(of ranked: [Classification.Class]) -> JSONObject {
        var object = JSONObject()
        for entry in ranked { object.add(entry.name, .number(entry.value)) }
        return object
    }
}
