extension FastPath {
    /// A relu after average pooling is done by the pooling, which saves one pass over memory: it stands there once the pooling is
    /// delayed. Can go with that.
    static let pooledRelu = FastPath("pooled-relu", page: "02-delayed-pooling", .variant)
}

extension Graph {
    /// By relu: the average pooling before it, of its type and without another reader.
    var pooledRelus: [ValueID: ValueID] {
        let useCounts = useCounts
        var poolings: [ValueID: ValueID] = [:]
        for value in values where self[value].operation == .elementwise(.unary(.relu)) {
            let pooling = self[value].operands[0]
            guard case .pooling(.averagePooling) = self[pooling].operation, useCounts[pooling.index] == 1,
                self[pooling].elementType == self[value].elementType
            else { continue }
            poolings[value] = pooling
        }
        return poolings
    }
}
