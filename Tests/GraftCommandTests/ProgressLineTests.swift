import Graft
import Testing

@testable import GraftCommand

@Suite struct ProgressLineTests {
    static let line = ProgressLine(
        "epoch 2/5", Progress(done: 250, total: 1000, elapsed: 4), figures: "loss 0.4512  accuracy 0.8100")

    @Test(arguments: [
        (100, "epoch 2/5  ━━━━━───────────────  250/1000  loss 0.4512  accuracy 0.8100  12 s left"),
        (80, "epoch 2/5  ━━━━─────────────  250/1000  loss 0.4512  accuracy 0.8100  12 s left"),
        (64, "epoch 2/5  250/1000  loss 0.4512  accuracy 0.8100  12 s left"),
        (40, "epoch 2/5  ━──────  250/1000  12 s left"),
        (32, "epoch 2/5  250/1000  12 s left"),
        (20, "epoch 2/5  250/1000"),
        (10, "epoch 2/5"),
        (1, ""),
    ])
    func narrowTerminalsGetLess(width: Int, text: String) { #expect(Self.line.text(width: width) == text) }

    @Test(arguments: 1...120)
    func theCursorStaysOnTheLine(width: Int) { #expect(Self.line.text(width: width).count < width) }

    @Test func withoutFiguresTheRateIsSaid() {
        let line = ProgressLine("features", Progress(done: 100, total: 1399, elapsed: 2))
        #expect(line.text(width: 100) == "features  ━───────────────────  100/1399  50 images/s  26 s left")
    }

    @Test func nothingDoneYetSaysNothingOfTime() {
        let line = ProgressLine("features", Progress(done: 0, total: 10, elapsed: 0))
        #expect(line.text(width: 100) == "features  ────────────────────  0/10")
    }

    @Test func nothingToDoIsDone() {
        let line = ProgressLine("features", Progress(done: 0, total: 0, elapsed: 0))
        #expect(line.text(width: 100) == "features  ━━━━━━━━━━━━━━━━━━━━  0/0")
    }
}
