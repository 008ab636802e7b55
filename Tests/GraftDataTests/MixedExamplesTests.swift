import GraftGraph
import Testing

@testable import GraftData

@Suite struct MixedExamplesTests {
    /// Images of 8 × 6 with a constant each, its number, and the classes 0, 1, 2, 0, …
    private func examples(_ count: Int = 12) throws -> ArrayDataset {
        try ArrayDataset(
            inputs: Tensor((0..<count).flatMap { [Float](repeating: Float($0), count: 96) }, shape: [count, 8, 6, 2]),
            targets: Tensor((0..<count).map { Float($0 % 3) }, shape: [count]))
    }

    private func row(_ tensor: Tensor, _ row: Int) -> [Float] {
        let size = tensor.count / tensor.shape[0]
        return Array(tensor.scalars[(row * size)..<((row + 1) * size)])
    }

    @Test func cutMixPastesARectangleAndMixesTargetsByItsArea() throws {
        let mixed = MixedExamples(try examples(), mixUp: nil, cutMix: try CutMix(alpha: 1), outputs: 3, seed: 4)
        var cut = 0
        for epoch in 0..<20 {
            let numbers = (0..<12).map { epoch * 12 + $0 }
            let batch = try mixed.batch(numbers)
            #expect(batch.indices == numbers && batch.targets[0].shape == [12, 3])
            for example in 0..<12 {
                let values = row(batch.inputs[0], example)
                let others = Set(values).subtracting([Float(example)])
                // One partner at most, whose pixels fill a rectangle, all channels of it.
                #expect(others.count <= 1)
                let share = Float(values.count { $0 == Float(example) }) / 96
                var wanted: [Float] = [0, 0, 0]
                wanted[example % 3] += share
                if let other = others.first { wanted[Int(other) % 3] += 1 - share }
                #expect(zip(row(batch.targets[0], example), wanted).allSatisfy { abs($0 - $1) < 1e-6 })
                let places = (0..<48).filter { values[2 * $0] != Float(example) }
                let (rows, columns) = (Set(places.map { $0 / 6 }), Set(places.map { $0 % 6 }))
                #expect(places.count == rows.count * columns.count)
                cut += others.isEmpty ? 0 : 1
            }
        }
        #expect(cut > 150)
    }

    @Test func mixUpBlendsInputsAndTargetsAlike() throws {
        let mixed = MixedExamples(try examples(), mixUp: try MixUp(alpha: 1), outputs: 3)
        let batch = try mixed.batch(Array(0..<12))
        let mixing = try MixUp(alpha: 1).mixing(of: Array(0..<12), seed: 0, epoch: 0)
        for example in 0..<12 {
            let (weight, partner) = (mixing.weights[example], mixing.partners[example])
            let value = weight * Float(example) + (1 - weight) * Float(partner)
            #expect(row(batch.inputs[0], example).allSatisfy { abs($0 - value) < 1e-5 })
            var wanted: [Float] = [0, 0, 0]
            wanted[example % 3] += weight
            wanted[partner % 3] += 1 - weight
            #expect(zip(row(batch.targets[0], example), wanted).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    @Test func withBothEachExampleIsMixedByOneOfThem() throws {
        let mixing = ExampleMixing(mixUp: try MixUp(alpha: 1), cutMix: try CutMix(), seed: 2)
        let mixes = (0..<50).flatMap { mixing.mixes(of: Array(0..<20), epoch: $0) }
        // Of 1,000 about half, with a deviation of 16.
        #expect(abs(mixes.count { $0.rectangle != nil } - 500) < 100)
    }

    @Test func mixturesFollowFromSeedEpochAndExample() throws {
        func inputs(seed: UInt64, epoch: Int) throws -> Tensor {
            let mixed = MixedExamples(try examples(), mixUp: try MixUp(), cutMix: try CutMix(), outputs: 3, seed: seed)
            return try mixed.batch((0..<12).map { epoch * 12 + $0 }).inputs[0]
        }
        #expect(try inputs(seed: 1, epoch: 3) == inputs(seed: 1, epoch: 3))
        #expect(try inputs(seed: 1, epoch: 3) != inputs(seed: 1, epoch: 4))
        #expect(try inputs(seed: 1, epoch: 3) != inputs(seed: 2, epoch: 3))
    }

    @Test func twoClassesHaveOneProbability() throws {
        let two = try ArrayDataset(
            inputs: Tensor([0, 1, 2, 3], shape: [4, 1]), targets: Tensor([0, 1, 0, 1], shape: [4]))
        let batch = try MixedExamples(two, mixUp: try MixUp(alpha: 1), outputs: 1).batch([0, 1, 2, 3])
        #expect(batch.targets[0].shape == [4] && batch.targets[0].scalars.allSatisfy { (0...1).contains($0) })
        #expect(try SoftTargets(two, outputs: 1).targets(of: [1, 2])[0].scalars == [1, 0])
        #expect(try SoftTargets(two, outputs: 2).targets(of: [1, 2])[0].scalars == [0, 1, 1, 0])
        #expect(throws: GraftError.self) {
            try SoftTargets(try examples(), outputs: 2).targets(of: [0, 1, 2])
        }
    }

    @Test func whatIsNoImageIsNotCut() throws {
        let rows = try ArrayDataset(inputs: Tensor([0, 1], shape: [2, 1]), targets: Tensor([0, 1], shape: [2]))
        let error = #expect(throws: GraftError.self) {
            try MixedExamples(rows, mixUp: nil, cutMix: try CutMix(), outputs: 1).batch([0, 1])
        }
        #expect(error?.message == "CutMix cuts images, and the examples have the shape (2, 1)")
        let mistake = #expect(throws: GraftError.self) { try CutMix(alpha: 0) }
        #expect(mistake?.message == "CutMix's alpha is 0.0; it must be more than 0 and at most 1000")
    }
}
