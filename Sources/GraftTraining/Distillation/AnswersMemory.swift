import Synchronization

/// What teachers said of examples, so that they are not run on them again.
///
/// The first answers that come are kept until the limit is reached, and stay. An epoch asks for every example once: what
/// gave way to a newer answer would be gone just before it is asked for again.
final class AnswersMemory: Sendable {
    /// The examples of a run that have numbers of their own.
    enum Part: Sendable { case training, validation }

    /// The answer of all teachers to one example, side by side.
    typealias Row = ContiguousArray<Float>

    /// What a row takes besides its elements: the array's header, its place among the others.
    static let rowOverhead = 96

    private let limit: Int
    private let content = Mutex(Content())

    private struct Content {
        var rows: [Key: Row] = [:]
        var byteCount = 0
    }

    private struct Key: Hashable {
        let part: Part
        let number: Int
    }

    /// - Parameter limit: the bytes that rows may take.
    init(limit: Int) { self.limit = limit }

    /// The bytes that rows take.
    var byteCount: Int { content.withLock(\.byteCount) }

    /// The rows of these examples, `nil` for those that are not kept.
    func rows(of numbers: [Int], _ part: Part) -> [Row?] {
        content.withLock { content in numbers.map { content.rows[Key(part: part, number: $0)] } }
    }

    /// Keeps a row while there is room.
    func keep(_ row: Row, of number: Int, _ part: Part) {
        let byteCount = row.count * MemoryLayout<Float>.stride + Self.rowOverhead
        content.withLock { content in
            let key = Key(part: part, number: number)
            guard byteCount <= limit - content.byteCount, content.rows[key] == nil else { return }
            content.rows[key] = row
            content.byteCount += byteCount
        }
    }

    /// Whether another row of so many numbers would be kept.
    func hasRoom(forWidth width: Int) -> Bool {
        width * MemoryLayout<Float>.stride + Self.rowOverhead <= limit - byteCount
    }
}
