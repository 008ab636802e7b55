import GraftModel

/// What a weights file gave to a model.
public struct WeightReport: Sendable, CustomStringConvertible {
    /// One layer that was filled.
    public struct LayerEntry: Sendable, Hashable {
        /// The layer's name in the model.
        public let layer: String
        /// The layer's name, or its place, in the file.
        public let storedAs: String
        /// The number of arrays.
        public let arrayCount: Int
        /// The number of numbers in them.
        public let parameterCount: Int
    }

    /// The file.
    public let path: String
    /// The layers that were filled, in the model's order.
    public internal(set) var layers: [LayerEntry] = []
    /// What is worth knowing and no mistake, such as names in the file that differ from the model's.
    public internal(set) var notes: [String] = []

    /// The number of arrays that were loaded.
    public var arrayCount: Int { layers.reduce(0) { $0 + $1.arrayCount } }
    /// The number of parameters that were loaded.
    public var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }

    /// `188 layers, 376 arrays, 21802784 parameters from file.h5`, and the notes.
    public var description: String {
        let summary = "\(layers.count) layers, \(arrayCount) arrays, \(parameterCount) parameters from \(path)"
        return notes.isEmpty ? summary : summary + "; " + notes.joined(separator: "; ")
    }
}
