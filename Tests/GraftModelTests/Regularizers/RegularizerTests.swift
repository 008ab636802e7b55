import GraftGraph
import Testing

@testable import GraftModel

@Suite struct RegularizerTests {
    /// As `keras.regularizers.serialize` of Keras 3.15.1 gives them.
    static let serialized: [(Regularizer, String, Configuration)] = [
        (.l1(), "L1", ["l1": 0.01]),
        (.l2(0.5), "L2", ["l2": 0.5]),
        (.l1l2(l1: 0.25, l2: 0.125), "L1L2", ["l1": 0.25, "l2": 0.125]),
        (.orthogonal(0.5, .columns), "OrthogonalRegularizer", ["factor": 0.5, "mode": "columns"]),
    ]

    @Test(arguments: serialized)
    func configurationIsKerasAndComesBack(_ regularizer: Regularizer, className: String, arguments: Configuration)
        throws
    {
        let configuration: Configuration = [
            "module": "keras.regularizers", "class_name": .string(className), "config": arguments,
            "registered_name": nil,
        ]
        #expect(regularizer.configuration == configuration)
        #expect(try Regularizer(configuration: configuration) == regularizer)
    }

    @Test func namesMeanKerasDefaults() throws {
        #expect(try Regularizer(configuration: "l2") == .l2(0.01))
        #expect(try Regularizer(configuration: "l1") == .l1(0.01))
        #expect(try Regularizer(configuration: "l1_l2") == .l1l2())
    }

    @Test func layersKeepTheirRegularizersInFiles() throws {
        let layers: [Layer] = [
            Dense(2, kernelRegularizer: .l2(), biasRegularizer: .l1(0.5)),
            Conv2D(2, kernelSize: 1, kernelRegularizer: .l1l2(l1: 1, l2: 2), biasRegularizer: .l2(3)),
            DepthwiseConv2D(kernelSize: 1, depthwiseRegularizer: .l2(4), biasRegularizer: .l1(5)),
            BatchNormalization(betaRegularizer: .l1(6), gammaRegularizer: .l2(7)),
        ]
        let keys = [
            ["kernel_regularizer", "bias_regularizer"], ["kernel_regularizer", "bias_regularizer"],
            ["depthwise_regularizer", "bias_regularizer"], ["gamma_regularizer", "beta_regularizer"],
        ]
        for (layer, keys) in zip(layers, keys) {
            let configuration = layer.configuration
            let (className, shape) = (type(of: layer).className, layer is Dense ? [3] : [4, 4, 3] as Shape)
            let again = try LayerRegistry.standard.layer(className, .object(configuration))
            #expect(again.configuration == configuration)
            try again.buildIfNeeded([shape])
            for key in keys {
                let regularizer = try Regularizer(configuration: #require(configuration[key]))
                let name = key.replacing("_regularizer", with: "").replacing("depthwise", with: "kernel")
                #expect(again.variable(named: name)?.regularizer == regularizer, "\(className) \(key)")
            }
        }
    }

    @Test func negativeFactorsThrow() throws {
        #expect { try Sequential([Dense(1, kernelRegularizer: .l2(-1))], inputShape: [2]) } throws: {
            ($0 as? GraftError)?.message.contains("the regularizer of kernel has the factors 0.0 and -1.0") == true
        }
        #expect(throws: GraftError.self) { try Regularizer(configuration: "orthogonal") }
        #expect {
            try Sequential([Conv2D(2, kernelSize: 1, kernelRegularizer: .orthogonal())], inputShape: [2, 2, 2])
        } throws: {
            ($0 as? GraftError)?.message.contains("is of matrices; the shape (1, 1, 2, 2) has 4 axes") == true
        }
    }
}
