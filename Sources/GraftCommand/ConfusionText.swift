import Graft

/// How `evaluate` shows which classes a model takes for which.
struct ConfusionText {
    private let confusions: [Confusion]
    /// What an example is.
    private let noun: String

    /// How many are shown to people.
    private static let shownCount = 10

    /// - Parameters:
    ///   - names: the classes' names, in the order of their numbers.
    ///   - noun: what an example is.
    init(_ confusion: ConfusionMatrix?, names: [String], noun: String = "image") {
        self.noun = noun
        confusions = confusion?.topConfusions(names: names) ?? []
    }

    /// For people: the most frequent.
    var lines: [String] {
        let shown = confusions.prefix(Self.shownCount).map {
            "\($0.name) taken for \($0.predicted): \($0.count.of(noun))"
        }
        let rest = confusions.count - shown.count
        return rest > 0 ? shown + ["and \(rest) more kinds of mistakes"] : shown
    }

    /// For programs: what the examples of a class were taken for, with how many of them.
    func object(of name: String) -> JSONObject {
        var object = JSONObject()
        for confusion in confusions where confusion.name == name {
            object.add(confusion.predicted, .int(confusion.count))
        }
        return object
    }
}
