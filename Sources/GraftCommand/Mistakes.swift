import Graft

/// Which classes a model takes for which, the most frequent mistakes first.
struct Mistakes {
    /// A class whose examples were taken for another one.
    struct Kind {
        let name: String
        let takenFor: String
        let count: Int
    }

    let kinds: [Kind]

    /// - Parameter names: the classes' names, in the order of their numbers.
    init(_ confusion: ConfusionMatrix?, names: [String]) {
        var kinds: [Kind] = []
        for (name, row) in zip(names, confusion?.counts ?? []) {
            for (other, count) in zip(names, row) where other != name && count > 0 {
                kinds.append(Kind(name: name, takenFor: other, count: count))
            }
        }
        self.kinds = kinds.sorted { ($1.count, $0.name, $0.takenFor) < ($0.count, $1.name, $1.takenFor) }
    }

    /// For people: the ten most frequent.
    var lines: [String] {
        let shown = kinds.prefix(10).map { "\($0.name) taken for \($0.takenFor): \($0.count.of("image"))" }
        return kinds.count > 10 ? shown + ["and \(kinds.count - 10) more kinds of mistakes"] : shown
    }

    /// What the examples of a class were taken for, with how many of them.
    func object(of name: String) -> JSONObject {
        var object = JSONObject()
        for kind in kinds where kind.name == name { object.add(kind.takenFor, .int(kind.count)) }
        return object
    }
}
