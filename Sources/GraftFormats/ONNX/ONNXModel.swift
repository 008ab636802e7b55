import GraftGraph
import GraftSystem

/// A model as an ONNX file has it. Source: onnx/onnx.proto of github.com/onnx/onnx, version 8 of the representation.
struct ONNXModel {
    /// The version of the operators: that of ONNX 1.13, the first whose `Resize` antialiases.
    static let operatorSetVersion = 18
    private static let representationVersion = 8

    var name: String
    var nodes: [ONNXNode] = []
    var initializers: [ONNXArray] = []
    var inputs: [ONNXValue] = []
    var outputs: [ONNXValue] = []
    /// What the file says of itself: keys and values.
    var metadata: [(key: String, value: String)] = []

    /// The file's contents.
    var message: ProtobufWriter {
        var graph = ProtobufWriter()
        for node in nodes { graph.add(1, node.message) }
        graph.add(2, name)
        for array in initializers { graph.add(5, array.message) }
        for input in inputs { graph.add(11, input.message) }
        for output in outputs { graph.add(12, output.message) }
        var operators = ProtobufWriter()
        operators.add(2, Self.operatorSetVersion)
        var model = ProtobufWriter()
        model.add(1, Self.representationVersion)
        model.add(2, "graft")
        model.add(7, graph)
        model.add(8, operators)
        for (key, value) in metadata {
            var entry = ProtobufWriter()
            entry.add(1, key)
            entry.add(2, value)
            model.add(14, entry)
        }
        return model
    }
}

/// One operator with what it reads and writes, by name.
struct ONNXNode {
    enum Attribute {
        case int(Int)
        case ints([Int])
        case text(String)
    }

    var type: String
    var inputs: [String]
    var output: String
    var attributes: [(name: String, value: Attribute)] = []

    fileprivate var message: ProtobufWriter {
        var message = ProtobufWriter()
        for input in inputs { message.add(1, input) }
        message.add(2, output)
        message.add(3, output)
        message.add(4, type)
        for (name, value) in attributes {
            var attribute = ProtobufWriter()
            attribute.add(1, name)
            switch value {
            case .int(let number):
                attribute.add(3, number)
                attribute.add(20, 2)
            case .text(let text):
                attribute.add(4, text)
                attribute.add(20, 3)
            case .ints(let numbers):
                attribute.add(8, packed: numbers)
                attribute.add(20, 7)
            }
            message.add(5, attribute)
        }
        return message
    }
}

/// A named array of numbers in the file.
struct ONNXArray {
    enum Numbers {
        case floats([Float])
        case integers([Int])
    }

    var name: String
    var dimensions: [Int]
    var numbers: Numbers

    fileprivate var message: ProtobufWriter {
        var message = ProtobufWriter()
        message.add(1, packed: dimensions)
        switch numbers {
        case .floats(let values):
            message.add(2, ONNXValue.Kind.float32.rawValue)
            message.add(8, name)
            message.add(9, bytes: values.withUnsafeBytes { Array($0) })
        case .integers(let values):
            message.add(2, ONNXValue.Kind.int64.rawValue)
            message.add(8, name)
            message.add(9, bytes: values.map(Int64.init).withUnsafeBytes { Array($0) })
        }
        return message
    }
}

/// A named input or output; an axis without a size is the batch's.
struct ONNXValue {
    enum Kind: Int {
        case float32 = 1
        case int32 = 6
        case int64 = 7
        case boolean = 9
    }

    var name: String
    var kind = Kind.float32
    var dimensions: [Int?]

    fileprivate var message: ProtobufWriter {
        var shape = ProtobufWriter()
        for size in dimensions {
            var dimension = ProtobufWriter()
            if let size { dimension.add(1, size) } else { dimension.add(2, "batch") }
            shape.add(1, dimension)
        }
        var tensor = ProtobufWriter()
        tensor.add(1, kind.rawValue)
        tensor.add(2, shape)
        var type = ProtobufWriter()
        type.add(1, tensor)
        var message = ProtobufWriter()
        message.add(1, name)
        message.add(2, type)
        return message
    }
}
