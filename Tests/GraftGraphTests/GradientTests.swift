import GraftGraph
import GraftTestSupport
import Testing

@Suite struct GradientTests {
    @Test(arguments: Set(OperationKind.differentiable).sorted { $0.description < $1.description })
    func eachOperationAgreesWithFiniteDifferencesInEveryElement(kind: OperationKind) throws {
        for seed in 0..<6 {
            let random = try RandomGraph(seed: UInt64(seed) + 1000, operations: 1, of: [kind])
            try random.expectGradientsMatchFiniteDifferences(directions: nil)
        }
    }

    @Test func randomGraphsAgreeWithFiniteDifferences() throws {
        for seed in 0..<600 {
            let random = try RandomGraph(
                seed: UInt64(seed), operations: 3 + seed % 8, of: OperationKind.differentiable)
            try random.expectGradientsMatchFiniteDifferences(directions: 2)
        }
    }
}
