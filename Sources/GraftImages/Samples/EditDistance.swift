/// Which known word a mistyped one was meant to be.
enum EditDistance {
    /// The known word that is the fewest letters away, at most a third of its own; `nil` where none is near.
    static func closest(to word: String, among known: [String]) -> String? {
        let near = known.map { (word: $0, distance: between(word, $0)) }.filter { $0.distance * 3 <= $0.word.count }
        return near.min { $0.distance < $1.distance }?.word
    }

    /// How many letters must be put in, left out or changed (Levenshtein's distance).
    static func between(_ first: String, _ second: String) -> Int {
        let target = Array(second)
        var distances = Array(0...target.count)
        for (row, letter) in first.enumerated() {
            var diagonal = distances[0]
            distances[0] = row + 1
            for (column, other) in target.enumerated() {
                let change = diagonal + (letter == other ? 0 : 1)
                diagonal = distances[column + 1]
                distances[column + 1] = min(change, diagonal + 1, distances[column] + 1)
            }
        }
        return distances[target.count]
    }
}
