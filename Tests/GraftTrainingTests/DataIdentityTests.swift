import GraftData
import GraftGraph
import Testing

@testable import GraftTraining

@Suite struct DataIdentityTests {
    private func arrays(_ count: Int) throws -> ArrayDataset {
        try ArrayDataset(inputs: Tensor(zeros: [count, 1]), targets: Tensor(zeros: [count]))
    }

    /// A million zeros would pack to what the archive's reader takes for a bomb, and the run could not go on.
    @Test func examplesWithoutFingerprintsTakeNoRoom() throws {
        let identity = DataIdentity(training: try arrays(100_000), validation: nil)
        #expect(identity.configuration.json().count < 200)
        #expect(identity.difference(from: identity.configuration) == nil)
        let other = DataIdentity(training: try arrays(99_999), validation: nil)
        #expect(
            other.difference(from: identity.configuration)?.hasPrefix("the training data has 99999 examples") == true)
    }

    /// Those of before had zeros for each example.
    @Test func checkpointsOfBeforeAreUnderstood() throws {
        let identity = DataIdentity(training: try arrays(10), validation: nil)
        var members = try #require(identity.configuration.members?["training"]?.members)
        members["examples"] = .string(String(repeating: "0", count: 160))
        #expect(identity.difference(from: ["training": .object(members)]) == nil)
    }
}
