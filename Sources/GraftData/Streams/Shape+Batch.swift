import GraftGraph

extension Shape {
    /// This shape of an example with a batch axis of so many in front.
    package func inBatch(of count: Int) -> Shape { Shape([count] + dimensions) }

    /// The shape of an example: without the batch axis in front.
    package var ofExample: Shape { Shape(Array(dimensions.dropFirst())) }
}
