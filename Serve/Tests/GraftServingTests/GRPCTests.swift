import Graft
import Testing

@testable import GraftServing

/// The messages are built by field numbers of `open_inference_grpc.proto`.
@Suite struct GRPCTests {
    private func input(_ name: String, _ type: String, _ shape: [Int], contents: ProtobufWriter? = nil)
        -> ProtobufWriter
    {
        var message = ProtobufWriter()
        message.add(1, name)
        message.add(2, type)
        message.add(3, packed: shape)
        if let contents { message.add(5, contents) }
        return message
    }

    private func request(_ inputs: [ProtobufWriter], raw: [[UInt8]] = [], outputs: [ProtobufWriter] = []) -> [UInt8] {
        var message = ProtobufWriter()
        message.add(1, "best")
        message.add(2, "1")
        message.add(3, "7")
        for input in inputs { message.add(5, input) }
        for output in outputs { message.add(6, output) }
        for bytes in raw { message.add(7, bytes: bytes) }
        return message.bytes
    }

    @Test func rawContentsBelongToInputsInTheirOrder() throws {
        let bytes = request(
            [input("a", "UINT8", [2]), input("b", "FP32", [1])], raw: [[1, 2], [0, 0, 0x80, 0x3F]])
        let message = try GRPCMessages.inferRequest(bytes)
        #expect(
            message.model == "best" && message.version == "1" && message.request.id == "7" && message.request.isBinary)
        #expect(message.request.inputs.map(\.name) == ["a", "b"] && message.request.inputs.map(\.shape) == [[2], [1]])
        guard case .binary(let first) = message.request.inputs[0].content else {
            Issue.record("the contents are others")
            return
        }
        #expect(Array(first) == [1, 2])
    }

    @Test func typedContentsAreFloatsOrBytes() throws {
        var floats = ProtobufWriter()
        floats.add(6, bytes: [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
        var elements = ProtobufWriter()
        elements.add(8, bytes: [9, 8])
        elements.add(8, bytes: [])
        let message = try GRPCMessages.inferRequest(
            request([input("a", "FP32", [2], contents: floats), input("b", "BYTES", [2], contents: elements)]))
        guard case .binary(let bytes) = message.request.inputs[0].content,
            case .elements(let texts) = message.request.inputs[1].content
        else {
            Issue.record("the contents are others")
            return
        }
        #expect(TensorType.fp32.floats(bytes) == [1, 2] && texts == [[9, 8], []])
    }

    @Test func classificationIsAParameterOfAnOutput() throws {
        var number = ProtobufWriter()
        number.add(2, 3)
        var entry = ProtobufWriter()
        entry.add(1, "classification")
        entry.add(2, number)
        var output = ProtobufWriter()
        output.add(1, "y")
        output.add(2, entry)
        let message = try GRPCMessages.inferRequest(request([], outputs: [output]))
        #expect(message.request.outputs.map(\.classCount) == [3] && message.request.outputs.map(\.name) == ["y"])
    }

    @Test func wrongMessagesAreRefused() {
        var integers = ProtobufWriter()
        integers.add(2, packed: [1])
        let wrong = [
            request([input("a", "FP16", [1])], raw: [[0, 0]]), request([input("a", "FP32", [1])]),
            request([input("a", "FP32", [-1])], raw: [[0]]), request([input("a", "FP32", [1])], raw: [[0], [0]]),
            request([input("a", "INT32", [1], contents: integers)]), [0xFF], [0x2A, 0x05, 1],
            request((0...16).map { input("\($0)", "FP32", [1]) }),
        ]
        for bytes in wrong { #expect(throws: (any Error).self) { try GRPCMessages.inferRequest(bytes) } }
    }

    /// Every prefix and every changed byte is read or refused.
    @Test func damageNeverTraps() {
        let bytes = request([input("a", "UINT8", [2])], raw: [[1, 2]])
        for end in bytes.indices { _ = try? GRPCMessages.inferRequest(Array(bytes[..<end])) }
        for position in bytes.indices {
            for value: UInt8 in [0, 0x7F, 0x80, 0xFF] {
                var damaged = bytes
                damaged[position] = value
                _ = try? GRPCMessages.inferRequest(damaged)
            }
        }
    }

    @Test func timeoutsHaveUnits() {
        #expect(GRPCGate.timeout("5S") == .seconds(5) && GRPCGate.timeout("100m") == .milliseconds(100))
        #expect(GRPCGate.timeout("99999999H") == .seconds(99_999_999 * 3600))
        for wrong in [nil, "", "S", "5", "-1S", "5x", "999999999S"] { #expect(GRPCGate.timeout(wrong) == nil) }
    }
}
