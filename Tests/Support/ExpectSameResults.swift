import GraftGraph
import Testing

/// Expects two runs to agree in every element of every output and update.
///
/// - Parameter tolerance: see ``expectClose(_:_:tolerance:_:sourceLocation:)``; the order of additions may differ by a
///   few units in the last place of 64 bits.
package func expectSameResults(
    _ actual: Interpreter.Results, _ expected: Interpreter.Results, tolerance: Double = 1e-11, _ title: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(actual.outputs.count == expected.outputs.count, "\(title)", sourceLocation: sourceLocation)
    for (position, (actual, expected)) in zip(actual.outputs, expected.outputs).enumerated() {
        expectClose(
            actual, expected, tolerance: tolerance, "output \(position) of \(title)", sourceLocation: sourceLocation)
    }
    #expect(actual.updates.keys.sorted() == expected.updates.keys.sorted(), "\(title)", sourceLocation: sourceLocation)
    for (id, expected) in expected.updates {
        guard let actual = actual.updates[id] else { continue }
        expectClose(
            actual, expected, tolerance: tolerance, "variable \(id.rawValue) of \(title)",
            sourceLocation: sourceLocation)
    }
}
