import GraftDigest
import GraftGraph

/// Names a trunk by what it computes: its operations in order, their attributes and operands, the numbers of every
/// constant and every variable in it, and the precision.
///
/// Names of layers and inputs and the numbers of variables play no part, so that the same base under another head, or
/// loaded a second time, finds its features again. Attributes are hashed as Swift prints them; a change of their names
/// in a later version means that features are computed once more, never that wrong ones are found.
struct TrunkKey: Hashable, Sendable {
    /// 32 hexadecimal digits: the folder's name.
    let name: String

    /// The key of a trunk graph for batches of ``Trunk/batchSize``.
    ///
    /// - Parameter value: the current value of a variable.
    init(graph: Graph, precision: String, value: (VariableID) -> Tensor?) {
        var hash = SHA256()
        hash.update(text: "graft trunk 1 \(precision)")
        for node in graph.nodes {
            switch node.operation {
            case .leaf(.constant(let tensor)): hash.update(tensor)
            case .leaf(.variable(let id, let shape)):
                hash.update(text: "variable \(shape)")
                if let tensor = value(id) { hash.update(tensor) }
            case .leaf(.input(_, let shape)): hash.update(text: "input \(shape)" + Self.suffix(node.elementType))
            default: hash.update(text: "\(node.operation)" + Self.suffix(node.elementType))
            }
            hash.update(text: node.operands.map { String($0.index) }.joined(separator: ","))
        }
        hash.update(text: "outputs " + graph.outputs.map { String($0.index) }.joined(separator: ","))
        name = hash.finalize().prefix(16).hexadecimal
    }

    /// Behind what is not float32.
    fileprivate static func suffix(_ type: ElementType) -> String { type == .float32 ? "" : " \(type.rawValue)" }
}

extension SHA256 {
    fileprivate mutating func update(text: String) { update((text + "\n").utf8) }

    fileprivate mutating func update(_ tensor: Tensor) {
        // Integers as they are: floats do not hold all of them.
        let stored = tensor.elementType == .int32 ? tensor : tensor.stored(as: .float32)
        update(text: "tensor \(tensor.shape)" + TrunkKey.suffix(stored.elementType))
        stored.withUnsafeStoredBytes { update($0) }
    }
}
