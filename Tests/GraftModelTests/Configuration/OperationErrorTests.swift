import GraftGraph
import GraftModel
import Testing

/// Functions of `keras.ops` that cannot be what a file says of them.
@Suite struct OperationErrorTests {
    private static func operation(
        _ name: String, _ settings: [String: Configuration] = [:], _ more: [Configuration] = [],
        keywords: [String: Configuration] = [:]
    ) -> Configuration {
        let tensor: Configuration = [
            "class_name": "__keras_tensor__", "config": ["keras_history": ["x", 0, 0]],
        ]
        return [
            "module": "keras.src.ops.numpy", "class_name": .string(name), "registered_name": .string(name),
            "config": .object(settings.merging(["name": "f"]) { $1 }), "name": "f",
            "inbound_nodes": [["args": .array([tensor] + more), "kwargs": .object(keywords)]],
        ]
    }

    private static func model(_ operation: Configuration, shape: [Configuration]) -> Configuration {
        let input: Configuration = [
            "class_name": "InputLayer", "config": ["batch_shape": .array([.null] + shape), "name": "x"], "name": "x",
            "inbound_nodes": [],
        ]
        return [
            "class_name": "Functional",
            "config": [
                "name": "m", "layers": [input, operation], "input_layers": ["x", 0, 0], "output_layers": ["f", 0, 0],
            ],
        ]
    }

    private static let slice: Configuration = [
        "class_name": "__slice__", "config": ["start": nil, "stop": nil, "step": nil],
    ]

    static let cases: [(Configuration, String)] = [
        (operation("Sort"), "the operation Sort f of keras.ops is not known to Graft"),
        (operation("Mean", ["axis": 0]), "keeps the batch in front and its examples apart"),
        (operation("Transpose", ["axes": [1, 0]]), "keeps the batch in front and its examples apart"),
        (operation("Reshape", ["newshape": [3, -1]]), "do not fill the sizes"),
        (operation("Sum", ["axis": 5]), "are not distinct axes of a tensor with 2"),
        (operation("Add"), "its call has 1 arguments; it needs 2"),
        (operation("Add", [:], ["text"]), "which is no number, array or tensor"),
        (operation("Add", [:], [[1, [2]]]), "an array whose rows have different lengths"),
        (operation("Add", [:], [[[1, 2], [3]]]), "an array whose rows have different lengths"),
        (operation("Add", [:], [1], keywords: ["out": 2]), "its call has the argument out by name"),
        (operation("Clip", ["x_min": 0]), "its arguments x_min and x_max must be numbers"),
        (operation("Cast", ["dtype": "string"]), "Graft computes with float32 alone"),
        (operation("Pad", ["pad_width": [[0, -1]]]), "its argument pad_width must hold pairs of sizes"),
        (operation("GetItem", [:], [[slice, slice, slice]]), "its index names 3 axes of 2"),
        (operation("GetItem", [:], [[slice, 7]]), "its index 7 is outside of axis 1"),
        (operation("GetItem", [:], [[slice, ["stop": "x"]]]), "the stop of its slice is"),
        (
            operation("GetItem", [:], [[slice, ["start": 1, "stop": 1, "step": 1]]]), "is empty"
        ),
        (
            operation("GetItem", [:], [[slice, ["start": nil, "stop": nil, "step": 0]]]), "the step of its slice is 0"
        ),
    ]

    @Test(arguments: cases) func callIsRefusedWithItsReason(_ operation: Configuration, _ message: String) throws {
        let error = try #require(throws: GraftError.self) {
            try Model.deserialize(Self.model(operation, shape: [4]))
        }
        #expect(error.message.contains(message), "\(error.message)")
    }

    /// Indices are held: a step along an axis of any length would take memory that no file justifies.
    @Test func stepsAlongLongAxesAreRefused() throws {
        let reversed: Configuration = [
            "class_name": "__slice__", "config": ["start": nil, "stop": nil, "step": -1],
        ]
        let operation = Self.operation("GetItem", [:], [[Self.slice, reversed]])
        #expect(throws: Never.self) { try Model.deserialize(Self.model(operation, shape: [16_384])) }
        let error = try #require(throws: GraftError.self) {
            try Model.deserialize(Self.model(operation, shape: [16_385]))
        }
        #expect(error.message.contains("it takes 16385 steps; at most 16384 are taken"))
    }
}
