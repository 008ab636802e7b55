import Foundation
import GraftModel
import Testing

/// A model as Keras built it; written by `Tests/Keras/models.py`.
struct KerasModel: Decodable, Sendable, CustomTestStringConvertible {
    struct Variable: Decodable, Sendable, Hashable {
        let name: String
        let shape: [Int]
    }

    let name: String
    let layers: [String]
    let variables: [Variable]
    let trainable: [String]
    let parameters: Int
    let trainableParameters: Int
    let outputShapes: [[Int]]
    let config: Configuration

    var testDescription: String { name }

    /// All models of the fixture.
    static let all: [KerasModel] = {
        struct Fixture: Decodable { let cases: [KerasModel] }
        do {
            let url = Bundle.module.url(forResource: "keras-models", withExtension: "json", subdirectory: "Fixtures")
            return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: #require(url))).cases
        } catch {
            Issue.record("the fixture of Keras's models cannot be read: \(error)")
            return []
        }
    }()
}

extension Configuration {
    /// What stays when numbers are compared by value, and empty masks, which Keras notes at some calls, are left out.
    var comparable: Configuration {
        switch self {
        case .int(let number): return .double(Double(number))
        case .array(let elements): return .array(elements.map(\.comparable))
        case .object(var members):
            if members["mask"] == .null { members["mask"] = nil }
            return .object(members.mapValues(\.comparable))
        default: return self
        }
    }

    /// Where two values differ first, for messages.
    func firstDifference(from other: Configuration, path: String = "") -> String? {
        switch (self, other) {
        case (.object(let left), .object(let right)):
            for key in Set(left.keys).union(right.keys).sorted() {
                guard let first = left[key] else { return "\(path).\(key) is missing, expected \(right[key] ?? .null)" }
                guard let second = right[key] else { return "\(path).\(key) is \(first), expected nothing" }
                if let difference = first.firstDifference(from: second, path: "\(path).\(key)") { return difference }
            }
            return nil
        case (.array(let left), .array(let right)) where left.count == right.count:
            for (position, pair) in zip(left, right).enumerated() {
                if let difference = pair.0.firstDifference(from: pair.1, path: "\(path)[\(position)]") {
                    return difference
                }
            }
            return nil
        default: return self == other ? nil : "\(path) is \(self), expected \(other)"
        }
    }
}

/// The models of `Tests/Keras/models.py`, line by line.
enum ModelsLikeKeras {
    static let builders: [String: @Sendable () throws -> Model] = [
        "every_layer": everyLayer, "branches": branches, "shared": shared, "nested": nested, "sequential": sequential,
        "residual": residual,
    ]

    @Sendable static func everyLayer() throws -> Model {
        let x = Input(shape: [8, 9, 3])
        var y = try Conv2D(
            4, kernelSize: Size2D(3, 2), strides: Size2D(1, 2), padding: .same, activation: .relu, useBias: false)(x)
        y = try BatchNormalization(momentum: 0.9, epsilon: 1e-4, scale: false)(y)
        y = try Activation(.relu6)(y)
        y = try Rescaling(1 / 127.5, offset: -1)(y)
        y = try ReLU(maxValue: 6, negativeSlope: 0.25)(y)
        y = try DepthwiseConv2D(
            kernelSize: 3, depthMultiplier: 2, activation: .swish, depthwiseInitializer: .heNormal)(y)
        y = try ZeroPadding2D(padding: EdgePadding(top: 1, bottom: 0, left: 2, right: 1))(y)
        let eight = [Double](repeating: 1, count: 8)
        y = try Normalization(mean: .channels(eight.map { $0 * 0.5 }), variance: .channels(eight.map { $0 * 2 }))(y)
        y = try Normalization()(y)
        let a = try MaxPooling2D(poolSize: 3, strides: 1, padding: .same)(y)
        let b = try AveragePooling2D(poolSize: 2, strides: 1, padding: .same)(y)
        y = try Concatenate()([a, b])
        // As in Keras: the outer layer is made first.
        let add = Add()
        y = try add([y, Multiply()([y, y])])
        y = try Conv2D(
            8, kernelSize: 2, dilationRate: 2, groups: 4, kernelInitializer: .varianceScaling(seed: 3))(y)
        let c = try GlobalMaxPooling2D()(y)
        let d = try Flatten()(GlobalAveragePooling2D(keepDims: true)(y))
        y = try Concatenate(axis: 1)([c, d])
        y = try Reshape([4, -1])(y)
        y = try Dense(5, activation: .gelu, biasInitializer: .constant(0.25))(y)
        y = try Dropout(0.3, seed: 7)(Flatten()(y))
        let classes = Dense(3, activation: .softmax, name: "classes")
        classes.trainable = false
        return try Model(inputs: x, outputs: classes(y), name: "every_layer")
    }

    @Sendable static func branches() throws -> Model {
        func convolution(_ x: SymbolicTensor, _ filters: Int, _ size: Size2D) throws -> SymbolicTensor {
            let y = try Conv2D(filters, kernelSize: size, padding: .same, useBias: false)(x)
            return try Activation(.relu)(BatchNormalization(scale: false)(y))
        }
        func module(_ x: SymbolicTensor, _ name: String) throws -> SymbolicTensor {
            let one = try convolution(x, 2, 1)
            let five = try convolution(convolution(x, 3, 1), 4, 5)
            let three = try convolution(convolution(convolution(x, 2, 1), 3, 3), 3, 3)
            let pool = try convolution(AveragePooling2D(poolSize: 3, strides: 1, padding: .same)(x), 2, 1)
            return try Concatenate(axis: 3, name: name)([one, five, three, pool])
        }
        let x = Input(shape: [7, 7, 3])
        let y = try module(module(convolution(x, 4, 3), "mixed0"), "mixed1")
        return try Model(inputs: x, outputs: GlobalAveragePooling2D()(y))
    }

    @Sendable static func shared() throws -> Model {
        let (left, right, idle) = (Input(shape: [4]), Input(shape: [4], name: "right"), Input(shape: [2]))
        let twice = Dense(4, activation: .tanh)
        let first = try twice(left)
        let second = try twice(Dense(4)(right))
        let joined = try Add()([first, second])
        return try Model(inputs: [left, right, idle], outputs: [Dense(2)(joined), twice(joined)])
    }

    @Sendable static func nested() throws -> Model {
        let x = Input(shape: [6, 6, 2])
        let y = try BatchNormalization()(Conv2D(3, kernelSize: 3)(x))
        let base = try Model(inputs: x, outputs: y, name: "base")
        base.trainable = false
        let head = try Sequential([GlobalAveragePooling2D(), Dense(3, activation: .relu), Dropout(0.5)])
        let z = Input(shape: [3])
        let split = try Model(inputs: z, outputs: [Dense(2)(z), Dense(4)(z)])
        let (a, b) = (Input(shape: [6, 6, 2]), Input(shape: [6, 6, 2]))
        let (left, right) = try (base(a, training: false), base(b))
        let parts = try split.call([head(Multiply()([left, right]))])
        return try Model(
            inputs: [a, b],
            outputs: [Dense(1, activation: .sigmoid)(parts[0]), parts[1], base(b, training: false)])
    }

    @Sendable static func sequential() throws -> Model {
        let inner = try Sequential([
            InputLayer(shape: [5, 5, 1]), Conv2D(2, kernelSize: 3), BatchNormalization(center: false),
        ])
        let outer = try Sequential([inner, Flatten(), Dense(4, activation: .elu), Dense(1)], name: "outer")
        inner.layers[0].trainable = false
        return outer
    }

    @Sendable static func residual() throws -> Model {
        let x = Input(shape: [8, 8, 4])
        var y = x
        for block in 0..<3 {
            var inner = try Conv2D(4, kernelSize: 3, padding: .same, name: "block\(block)_conv")(y)
            inner = try BatchNormalization(name: "block\(block)_bn")(inner)
            if block == 1 { y = try Conv2D(4, kernelSize: 1, name: "block1_shortcut")(y) }
            y = try Activation(.relu)(Add()([y, inner]))
        }
        return try Model(inputs: x, outputs: Add()([y, x]))
    }
}
