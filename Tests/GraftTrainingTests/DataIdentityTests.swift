import GraftData
import GraftGraph
import Testing

@testable import GraftTraining

@Suite struct DataIdentityTests {
    /// Examples that nothing tells apart, such as images in memory.
    private struct Nameless: Dataset {
        let count: Int
        var classNames: [String]? { nil }
        var inputRule: InputRule? { nil }
        func batch(_ indices: [Int]) throws -> Batch {
            Batch(indices: indices, inputs: [Tensor(zeros: [indices.count, 1])], targets: try targets(of: indices))
        }
        func targets(of indices: [Int]) throws -> [Tensor] { [Tensor(zeros: [indices.count])] }
        func name(of index: Int) -> String? { nil }
        func fingerprint(of index: Int) throws -> String? { nil }
    }

    /// A million zeros would pack to what the archive's reader takes for a bomb, and the run could not go on.
    @Test func examplesWithoutFingerprintsTakeNoRoom() throws {
        let identity = DataIdentity(training: Nameless(count: 100_000), validation: nil)
        #expect(identity.configuration.json().count < 200)
        #expect(identity.difference(from: identity.configuration) == nil)
        let other = DataIdentity(training: Nameless(count: 99_999), validation: nil)
        #expect(
            other.difference(from: identity.configuration)?.hasPrefix("the training data has 99999 examples") == true)
    }

    /// Those of before had zeros for each example.
    @Test func checkpointsOfBeforeAreUnderstood() throws {
        let identity = DataIdentity(training: Nameless(count: 10), validation: nil)
        var members = try #require(identity.configuration.members?["training"]?.members)
        members["examples"] = .string(String(repeating: "0", count: 160))
        #expect(identity.difference(from: ["training": .object(members)]) == nil)
    }
}
