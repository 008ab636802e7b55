import Foundation
import Graft
import Testing

@testable import GraftServing

/// The requests follow the Open Inference Protocol and Triton's extension for binary tensor data.
@Suite struct InferRequestTests {
    private func parse(_ json: String, _ binary: [UInt8] = [], headerLength: Int? = nil) throws -> InferRequest {
        let header = Array(json.utf8)
        return try InferRequest(header + binary, headerLength: headerLength ?? (binary.isEmpty ? nil : header.count))
    }

    @Test func jsonIsRead() throws {
        let request = try parse(
            """
            {"id":"7","inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2.5]}],
             "outputs":[{"name":"y","parameters":{"classification":2}},{"name":"z","parameters":{"binary_data":true}}]}
            """)
        #expect(request.id == "7" && request.inputs.count == 1 && !request.isBinary)
        #expect(request.inputs[0].name == "x" && request.inputs[0].shape == [1, 2] && request.inputs[0].type == .fp32)
        #expect(request.outputs.map(\.classCount) == [2, nil] && request.outputs.map(\.isBinary) == [false, true])
    }

    @Test func binaryTensorsFollowInTheirOrder() throws {
        let json = """
            {"parameters":{"binary_data_output":true},"inputs":[
             {"name":"a","shape":[1],"datatype":"UINT8","parameters":{"binary_data_size":1}},
             {"name":"b","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}
            """
        let request = try parse(json, [9, 0, 0, 0x80, 0x3F])
        #expect(request.isBinary)
        guard case .binary(let first) = request.inputs[0].content, case .binary(let second) = request.inputs[1].content
        else {
            Issue.record("the tensors are not binary")
            return
        }
        #expect(Array(first) == [9] && TensorType.fp32.floats(second) == [1])
    }

    static let wrong = [
        "", "[]", "1", "{", #"{"inputs":1}"#, #"{"inputs":[1]}"#, #"{"inputs":[{"name":"x"}]}"#,
        #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP16","data":[1]}]}"#,
        #"{"inputs":[{"name":"x","shape":[-1],"datatype":"FP32","data":[1]}]}"#,
        #"{"inputs":[{"name":"x","shape":[9223372036854775807],"datatype":"FP32","data":[1]}]}"#,
        #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32"}]}"#,
        #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}"#,
        #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":-4}}]}"#,
        #"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"shared_memory_region":"r"}}]}"#,
        #"{"id":7,"inputs":[]}"#, #"{"inputs":[],"outputs":[{"name":"y","parameters":{"classification":-1}}]}"#,
        #"{"inputs":[],"outputs":[{"name":"y","parameters":{"binary_data":1}}]}"#,
        #"{"parameters":{"binary_data_output":"yes"},"inputs":[]}"#,
        #"{"inputs":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"#,
    ]

    @Test(arguments: wrong)
    func wrongRequestsAreRefused(json: String) {
        #expect(throws: (any Error).self) { try parse(json) }
    }

    @Test(arguments: [-1, 0, 3, 99, Int.max])
    func aHeaderLengthThatDoesNotFitIsRefused(length: Int) {
        #expect(throws: (any Error).self) { try parse("{}", headerLength: length) }
    }

    @Test func whatIsLeftBehindTheTensorsIsRefused() {
        #expect(throws: Refusal.self) { try parse(#"{"inputs":[]}"#, [1]) }
    }

    @Test func elementsOfBytesAreRead() throws {
        #expect(try TensorType.texts([2, 0, 0, 0, 7, 8, 0, 0, 0, 0], count: 2) == [[7, 8], []])
        for wrong: [UInt8] in [[2, 0, 0, 0, 7], [2, 0], [0, 0, 0, 0, 1], [0xFF, 0xFF, 0xFF, 0xFF, 1]] {
            #expect(throws: Refusal.self) { try TensorType.texts(wrong[...], count: 1) }
        }
    }

    @Test func numbersAreLittleEndian() {
        #expect(TensorType.fp64.floats([0, 0, 0, 0, 0, 0, 0xF0, 0x3F]) == [1])
        #expect(TensorType.int32.floats([0xFE, 0xFF, 0xFF, 0xFF]) == [-2])
        #expect(TensorType.int64.floats([3, 0, 0, 0, 0, 0, 0, 0]) == [3])
        #expect(TensorType.uint8.floats([0, 255]) == [0, 255])
    }
}
