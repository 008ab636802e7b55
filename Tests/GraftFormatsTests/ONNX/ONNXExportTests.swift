import Foundation
import GraftGraph
import GraftModel
import Testing

@testable import GraftFormats

/// What an ONNX file is made of. That it computes the same is for `Tests/Keras/onnx_export.py`, in onnxruntime.
@Suite struct ONNXExportTests {
    private func types(_ model: ONNXModel) -> [String] { model.nodes.map(\.type) }

    /// Whatever lies between stays with the channels first; batch normalization is in the kernel.
    @Test func aNetworkOfConvolutionsIsTransposedOnce() throws {
        let image = Input(shape: [8, 8, 3])
        var x = try Rescaling(1 / 255)(image)
        x = try BatchNormalization()(Conv2D(4, kernelSize: 3, padding: .same, useBias: false)(x))
        x = try Activation(.relu)(x)
        let branch = try Conv2D(4, kernelSize: 1)(x)
        x = try Add()([x, branch])
        x = try MaxPooling2D()(Concatenate()([x, branch]))
        x = try Dense(2, activation: .softmax)(Dropout(0.5)(GlobalAveragePooling2D()(x)))
        let model = try Model(inputs: image, outputs: x)
        let file = try ONNXExporter(model).model
        #expect(
            types(file) == [
                "Mul", "Transpose", "Conv", "Relu", "Conv", "Add", "Concat", "MaxPool", "ReduceMean", "Reshape", "Gemm",
                "Softmax", "Identity",
            ])
        #expect(file.inputs.map(\.dimensions) == [[nil, 8, 8, 3]] && file.outputs.map(\.dimensions) == [[nil, 2]])
        #expect(file.outputs[0].name == "dense" && file.inputs[0].name == image.layer.name)
        let names = file.nodes.map(\.output) + file.inputs.map(\.name) + file.initializers.map(\.name)
        #expect(Set(names).count == names.count)
    }

    /// HWIO to OIHW: of a kernel of 1 × 2 with two inputs and three filters.
    @Test func kernelsHaveTheirFiltersFirst() throws {
        let image = Input(shape: [4, 4, 2])
        let layer = Conv2D(3, kernelSize: Size2D(1, 2), useBias: false)
        let model = try Model(inputs: image, outputs: layer(image))
        try layer.setWeights([Tensor((0..<12).map { Float($0) }, shape: [1, 2, 2, 3])])
        let file = try ONNXExporter(model).model
        let kernel = try #require(file.initializers.first { $0.dimensions == [3, 2, 1, 2] })
        guard case .floats(let numbers) = kernel.numbers else { throw GraftError(.state, "no floats") }
        #expect(numbers == [0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11])
    }

    @Test func aLayerWithoutOperatorsIsNamed() throws {
        struct Cube: CustomOperation {
            let name = "cube"
            let operandCount: Int? = 1
            func shape(of operands: [Shape]) -> Shape { operands[0] }
            func reference(_ operands: [ReferenceArray], result: Shape) -> ReferenceArray {
                ReferenceArray(operands[0].values.map { $0 * $0 * $0 }, shape: result)
            }
        }
        final class Cubes: Layer, @unchecked Sendable {  // without state
            override func outputShape(for inputShapes: [Shape]) -> Shape { inputShapes[0] }
            override func lower(
                _ inputs: [ValueID], in context: inout LoweringContext
            ) throws(GraftError) -> ValueID { try context.graph.custom(Cube(), inputs) }
        }
        let input = Input(shape: [3])
        let model = try Model(inputs: input, outputs: Cubes(name: "cubes")(input))
        let error = #expect(throws: GraftError.self) { try ONNXExporter(model) }
        #expect(error?.message.hasPrefix("layer cubes: its operation cube cannot be written as ONNX") == true)
        let path = FileManager.default.temporaryDirectory.appending(path: "cubes-\(UUID().uuidString).onnx").path
        #expect(throws: GraftError.self) { try model.exportONNX(to: path) }
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: GraftError.self) { try model.exportONNX(to: "model.onx") }
    }
}
