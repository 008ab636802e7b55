import Graft
import Testing

@testable import GraftCommand

@Suite struct ConfusionTextTests {
    /// Eleven classes; class i is taken i times for the next one, and once for class 0.
    private func confusion() -> ConfusionMatrix {
        var confusion = ConfusionMatrix()
        for number in 0..<11 {
            let wrong = Array(repeating: (number + 1) % 11, count: number) + [0, number]
            let rows = Tensor(
                wrong.flatMap { choice in (0..<11).map { $0 == choice ? Float(1) : 0 } }, shape: [wrong.count, 11])
            confusion.add(rows, Tensor(repeating: Float(number), shape: [wrong.count]))
        }
        return confusion
    }

    @Test func theMostFrequentComeFirst() {
        let text = ConfusionText(confusion(), names: (0..<11).map { "c\($0)" })
        #expect(text.lines.count == 11)
        #expect(text.lines.first == "c10 taken for c0: 11 images")
        #expect(text.lines[1] == "c9 taken for c10: 9 images")
        #expect(text.lines.last == "and 9 more kinds of mistakes")
        #expect(text.object(of: "c2").line == #"{"c3":2,"c0":1}"#)
        #expect(text.object(of: "c0").line == "{}")
    }
}
