import GraftApplications
import GraftCPU
import GraftFormats
import GraftTestSupport
import Testing

@testable import GraftModel

@Suite struct PocketTests {
    @Test func itsWeightsArePartOfTheLibrary() throws {
        let model = try Pocket()
        #expect(try model.output.shape == [1216])
        #expect(model.countParameters() == Base.pocket.parameterCount)
        #expect(Base.pocket.hasBuiltInWeights)
        #expect(Base.pocket.featureGroups.reduce(0, +) == 1216)
        for variable in model.variables {
            let values = variable.value.scalars
            let areFinite = values.allSatisfy { $0.isFinite }
            #expect(areFinite, "\(variable.path)")
            // None of them is what an initializer leaves: zeros, ones, or all alike.
            #expect(Set(values).count > 1, "\(variable.path)")
        }
    }

    @Test func statisticsCameWithTheWeightsAndStay() throws {
        let model = try Pocket()
        model.freeze()
        #expect(model.trainableVariables.isEmpty)
    }

    @Test(arguments: [32, 96, 131]) func itTakesImagesOfManySizes(size: Int) throws {
        #expect(try Pocket(inputShape: [size, size, 3]).output.shape == [1216])
    }

    @Test func trainedFeaturesTellImagesApartThatRandomOnesHardlyDo() throws {
        // Stripes and blobs of the same colours: what differs is the texture.
        let size = 64
        func image(striped: Bool, _ phase: Int) -> [Float] {
            (0..<(size * size * 3)).map { place in
                let (row, column) = (place / (size * 3), place / 3 % size)
                let value = striped ? (row + phase) / 4 % 2 : ((row + phase) / 8 + (column + phase) / 8) % 2
                return value == 0 ? 60 : 190
            }
        }
        let images = Tensor(
            image(striped: true, 0) + image(striped: true, 2) + image(striped: false, 0) + image(striped: false, 3),
            shape: [4, size, size, 3])
        func separation(_ weights: Weights) throws -> Double {
            let features = try CPUOutput.of(Pocket(weights: weights, inputShape: [size, size, 3]), for: images).scalars
            let rows = (0..<4).map { row in (0..<1216).map { Double(features[row * 1216 + $0]) } }
            func distance(_ a: Int, _ b: Int) -> Double {
                zip(rows[a], rows[b]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            }
            return (distance(0, 2) + distance(1, 3)) / (distance(0, 1) + distance(2, 3))
        }
        #expect(try separation(.builtIn) > 1.2)
    }

    @Test func itHasNoTopAndNothingToDownload() {
        let top = #expect(throws: GraftError.self) {
            try Base.pocket.model(BaseOptions(weights: .builtIn, includeTop: true))
        }
        #expect(top?.message.contains("without a top") == true)
        let published = #expect(throws: GraftError.self) {
            try Base.pocket.model(BaseOptions(weights: .imagenet, includeTop: false))
        }
        #expect(published?.message.contains("no weights of Pocket are published") == true)
        let pooled = #expect(throws: GraftError.self) {
            try Base.pocket.model(BaseOptions(weights: .builtIn, includeTop: false, pooling: .max))
        }
        #expect(pooled?.message == "the features of Pocket are pooled already; received pooling max")
        let other = #expect(throws: GraftError.self) {
            try Base.vgg16.model(BaseOptions(weights: .builtIn, includeTop: false, inputShape: [32, 32, 3]))
        }
        #expect(other?.message.contains("not part of Graft, only those of pocket are") == true)
    }
}
