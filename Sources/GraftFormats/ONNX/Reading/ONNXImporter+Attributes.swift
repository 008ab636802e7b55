import GraftModel

extension ONNXContent.Node {
    func integer(_ name: String) -> Int? {
        if case .integer(let number)? = attributes[name] { number } else { nil }
    }

    func number(_ name: String) -> Double? {
        if case .number(let number)? = attributes[name] { Double(number) } else { nil }
    }

    func text(_ name: String) -> String? {
        if case .text(let text)? = attributes[name] { text } else { nil }
    }

    func integers(_ name: String) -> [Int]? {
        if case .integers(let numbers)? = attributes[name] { numbers } else { nil }
    }

    /// Refuses another value of an attribute than the one that Graft computes.
    func require(_ name: String, _ expected: Int) throws(GraftError) {
        guard let value = integer(name), value != expected else { return }
        throw GraftError(.format, "its attribute \(name) is \(value); Graft reads \(expected) alone")
    }

    /// Refuses a text among those that Graft does not compute.
    func require(_ name: String, oneOf expected: [String]) throws(GraftError) {
        guard let value = text(name), !expected.contains(value) else { return }
        throw GraftError(
            .format,
            "its attribute \(name) is \(value.prefix(60)); Graft reads \(expected.joined(separator: ", ")) alone")
    }
}

extension ONNXImporter {
    /// The axes of an attribute, or of an input in newer files; `nil` where neither is there.
    func axes(_ node: ONNXContent.Node, input position: Int) throws(GraftError) -> [Int]? {
        try integers(node, "axes", input: position)
    }

    /// Whole numbers of an attribute, or of an input in newer files; `nil` where neither is there.
    func integers(_ node: ONNXContent.Node, _ name: String, input position: Int) throws(GraftError) -> [Int]? {
        if let numbers = node.integers(name) { return numbers }
        return try constant(node, position)?.integers
    }

    /// A number of an attribute, or of an input in newer files; `nil` where neither is there.
    func number(_ node: ONNXContent.Node, _ name: String, input position: Int) throws(GraftError) -> Double? {
        if let number = node.number(name) { return number }
        return try constant(node, position)?.scalar
    }

    /// Height and width of an attribute.
    func size(_ node: ONNXContent.Node, _ name: String, default value: Int = 1) throws(GraftError) -> Size2D {
        guard let sizes = node.integers(name) else { return Size2D(value, value) }
        guard sizes.count == 2, sizes.allSatisfy({ (1...Size2D.limit).contains($0) }) else {
            throw GraftError(
                .format,
                "its attribute \(name) is \(sizes.prefix(8)); Graft reads two sizes, of images, from 1 to \(Size2D.limit)"
            )
        }
        return Size2D(sizes[0], sizes[1])
    }
}
