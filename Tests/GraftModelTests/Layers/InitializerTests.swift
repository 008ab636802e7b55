import Testing

@testable import GraftModel

@Suite struct InitializerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let initializer: Initializer
        let shape: Shape
        /// The expected variance, from Keras's formulas.
        let variance: Double
        /// The bound that no number may pass.
        let bound: Double
    }

    /// A kernel 3×3 of 16 input and 64 output channels: fan in 144, fan out 576.
    static let kernel: Shape = [3, 3, 16, 64]
    /// The deviation before the cut, as a multiple of that after it.
    static let widening = 1 / 0.87962566103423978

    static func truncated(_ name: String, _ initializer: Initializer, variance: Double) -> Case {
        Case(
            testDescription: name, initializer: initializer, shape: kernel, variance: variance,
            bound: 2 * variance.squareRoot() * widening)
    }

    static func uniform(_ name: String, _ initializer: Initializer, variance: Double) -> Case {
        Case(
            testDescription: name, initializer: initializer, shape: kernel, variance: variance,
            bound: (3 * variance).squareRoot())
    }

    static let cases = [
        uniform("glorot uniform", .glorotUniform, variance: 2.0 / 720),
        truncated("glorot normal", .glorotNormal, variance: 2.0 / 720),
        uniform("he uniform", .heUniform, variance: 2.0 / 144),
        truncated("he normal", .heNormal, variance: 2.0 / 144),
        uniform("lecun uniform", .lecunUniform, variance: 1.0 / 144),
        truncated("lecun normal", .lecunNormal, variance: 1.0 / 144),
        truncated(
            "variance scaling by the fan out", .varianceScaling(scale: 3, mode: .fanOut), variance: 3.0 / 576),
        Case(
            testDescription: "normal", initializer: .randomNormal(standardDeviation: 0.5), shape: kernel,
            variance: 0.25, bound: 3.5),
        uniform("uniform", .randomUniform(minimum: -0.3, maximum: 0.3), variance: 0.03),
        Case(
            testDescription: "truncated normal", initializer: .truncatedNormal(standardDeviation: 0.5), shape: kernel,
            variance: 0.25 / (widening * widening), bound: 1),
    ]

    @Test(arguments: cases) func varianceAndBoundFollowTheFormula(_ test: Case) {
        let values = test.initializer.tensor(of: test.shape, seed: InitializerStream(key: 5, stream: 0)).scalars
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let variance = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
        // 9,216 draws: the mean's deviation is √(variance / 9216), the variance's at most variance · √(2 / 9216).
        #expect(abs(mean) < 5 * (test.variance / 9216).squareRoot())
        #expect(abs(variance / test.variance - 1) < 5 * (2.0 / 9216).squareRoot())
        #expect(values.allSatisfy { abs(Double($0)) <= test.bound * (1 + 1e-6) })
    }

    @Test func quantilesAreThoseOfTheNormalDistribution() {
        // R: qnorm(c(0.5, 0.975, 0.9, 0.001, 1e-9), digits = 17)
        let known = [
            (0.5, 0.0), (0.975, 1.959963984540054), (0.9, 1.2815515655446004), (0.001, -3.090232306167814),
            (1e-9, -5.9978070150076865),
        ]
        for (probability, value) in known {
            #expect(abs(NormalQuantile.quantile(probability) - value) < 1e-14 * max(1, abs(value)) * 10)
        }
    }

    @Test func fansOfVectorsAndScalarsAreKeras() {
        for (shape, variance) in [(Shape([]), 1.0), ([4], 0.25), ([4, 9], 0.25)] {
            let limit = (3 * variance).squareRoot()
            let value = Initializer.lecunUniform.tensor(of: shape, seed: InitializerStream(key: 1, stream: 0))[0]
            let unit = RandomStream(key: 1, stream: 0).uniform(at: 0)
            #expect(abs(Double(value) - (2 * Double(unit) - 1) * limit) < 1e-6)
        }
    }

    @Test func constantsAreConstant() {
        let seed = InitializerStream(key: 0, stream: 0)
        #expect(Initializer.zeros.tensor(of: [3], seed: seed).scalars == [0, 0, 0])
        #expect(Initializer.ones.tensor(of: [3], seed: seed).scalars == [1, 1, 1])
        #expect(Initializer.constant(2.5).tensor(of: [3], seed: seed).scalars == [2.5, 2.5, 2.5])
    }

    private func twoLayers(seed: UInt64, swapped: Bool = false) throws -> [Tensor] {
        let x = Input(shape: [8])
        let (first, second) = (Dense(8, name: "first"), Dense(8, name: "second"))
        if swapped { _ = try second(x) }
        let model = try Model(inputs: x, outputs: second(first(x)), seed: seed)
        return model.weights
    }

    @Test func sameSeedGivesTheSameWeightsWhateverTheOrderOfBuilding() throws {
        #expect(try twoLayers(seed: 3) == twoLayers(seed: 3))
        #expect(try twoLayers(seed: 3) == twoLayers(seed: 3, swapped: true))
        #expect(try twoLayers(seed: 3) != twoLayers(seed: 4))
    }

    @Test func layersOfOneModelDifferAndSeededOnesAgree() throws {
        let weights = try twoLayers(seed: 0)
        #expect(weights[0] != weights[2])
        let x = Input(shape: [8])
        let (first, second) = (
            Dense(8, kernelInitializer: .heNormal(seed: 1)), Dense(8, kernelInitializer: .heNormal(seed: 1))
        )
        _ = try Model(inputs: x, outputs: second(first(x)))
        #expect(first.kernel?.value == second.kernel?.value)
    }

    @Test func equalTowersInOneModelBeginApart() throws {
        let x = Input(shape: [8])
        let towers = try [Sequential([Dense(8)]), Sequential([Dense(8)])]
        let model = try Model(inputs: x, outputs: Add()([towers[0](x), towers[1](x)]))
        #expect(model.weights[0] != model.weights[2])
    }

    @Test func modelsSeedChangesWhatIsNotDrawnYet() throws {
        let model = try Sequential([Dense(4), Dense(4)], inputShape: [4])
        let first = model.weights[0]
        model.layers[0].variables[0].value = first
        model.seed = 9
        #expect(model.weights[0] == first)
        #expect(try model.weights[2] == Sequential([Dense(4), Dense(4)], inputShape: [4]).weights[2])
        let other = try Sequential([Dense(4), Dense(4)], inputShape: [4])
        other.seed = 9
        #expect(other.weights[0] != first)
    }

    /// Rows or columns, the fewer of them, of length `gain` and orthogonal: rounded to float32 once.
    @Test(arguments: [[6, 3], [3, 6], [4, 4], [2, 3, 5]] as [Shape])
    func orthogonalVectorsHaveTheGainForTheirLength(_ shape: Shape) throws {
        let initializer = Initializer.orthogonal(gain: 2, seed: 3)
        let values = initializer.tensor(of: shape, seed: InitializerStream(key: 0, stream: 0)).scalars.map(Double.init)
        let (columns, rows) = (shape.last, shape.elementCount / shape.last)
        let vectors: [[Double]] =
            rows < columns
            ? (0..<rows).map { row in (0..<columns).map { values[row * columns + $0] } }
            : (0..<columns).map { column in (0..<rows).map { values[$0 * columns + column] } }
        for (i, left) in vectors.enumerated() {
            for (j, right) in vectors.enumerated() {
                let product = zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(product - (i == j ? 4 : 0)) < 1e-5, "\(i) and \(j)")
            }
        }
        #expect(try Initializer(configuration: initializer.configuration) == initializer)
        #expect(try Initializer(configuration: "orthogonal") == .orthogonal())
    }
}
