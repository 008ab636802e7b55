import Graft
import Testing

@testable import GraftCommand

/// How the precision that a run takes is explained.
@Suite struct SettledPrecisionTests {
    @Test(
        arguments: [
            (
                Precision.automatic, 0.14,
                "in bfloat16, which this processor has instructions for, this network's features would be off by 14.0 % on "
                    + "a few of the images; --precision bfloat16 takes it all the same"
            ),
            (
                .automatic, 0.0175,
                "this processor has instructions for it; --precision float32 gives Keras's numbers; features are off by "
                    + "1.8 % on a few of the images"
            ),
            (.automatic, nil, "this processor has instructions for it; --precision float32 gives Keras's numbers"),
            (
                .bfloat16, 0.14,
                "as asked, though this network's features are off by 14.0 % on a few of the images; --precision float32 has "
                    + "Keras's numbers"
            ),
            (.bfloat16, 0.01, "as asked"),
            (.automatic, 0, "this network has no convolutions, which are what computes in bfloat16"),
        ] as [(Precision, Double?, String)])
    func theReasonIsSaid(choice: Precision, distance: Double?, explanation: String) {
        #expect(SettledPrecision(choice, distance: distance).explanation() == explanation)
    }

    @Test func aRunThatGoesOnSaysSo() throws {
        #expect(try SettledPrecision(.automatic, resumed: .float32) { nil }.explanation() == "as the run was begun")
        #expect(try SettledPrecision(.float32) { nil }.explanation() == "as asked")
    }
}
