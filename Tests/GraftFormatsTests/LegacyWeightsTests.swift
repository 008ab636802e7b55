import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct LegacyWeightsTests {
    @Test(arguments: ["functional", "sequential", "nested"])
    func filesOfKerasFillTheSameVariables(name: String) throws {
        let model = try TestModels.model(name)
        let report = try LegacyWeights.load(from: Fixture.path("\(name)-legacy.h5"), into: model.layers)
        for (k, variable) in model.variables.enumerated() {
            #expect(variable.value == TestModels.expected(variable, array: k), "\(variable.path)")
        }
        #expect(report.arrayCount == model.variables.count)
        #expect(report.parameterCount == model.countParameters())
        #expect(report.notes.isEmpty, "\(report.notes)")
    }

    @Test func weightsInsideAWholeModelAreFound() throws {
        let model = try TestModels.functional()
        let report = try LegacyWeights.load(from: Fixture.path("whole-model.h5"), into: model.layers)
        #expect(report.layers.map(\.layer) == model.layers.filter { !$0.variables.isEmpty }.map(\.name))
        for (k, variable) in model.variables.enumerated() {
            #expect(variable.value == TestModels.expected(variable, array: k), "\(variable.path)")
        }
    }

    @Test func whatIsSavedIsLoadedBack() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/weights.h5"
            let model = try TestModels.functional()
            TestModels.fill(model)
            try LegacyWeights.save(model.layers, to: path)
            let other = try TestModels.functional()
            try LegacyWeights.load(from: path, into: other.layers)
            #expect(other.weights == model.weights)
            #expect(try namesInFolder(folder) == ["weights.h5"])
        }
    }

    @Test func moreNamesThanOneAttributeHoldsAreWrittenAndRead() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/many.h5"
            let name = { (index: Int) in "a_layer_whose_name_is_quite_long_as_some_are_\(index)" }
            let model = try Sequential((0..<1500).map { Dense(1, name: name($0)) }, inputShape: [1])
            for (k, variable) in model.variables.enumerated() {
                variable.value = TestModels.expected(variable, array: k)
            }
            try LegacyWeights.save(model.layers, to: path)
            #expect(try HDF5File(reading: path).root.hasAttribute("layer_names1"))
            let other = try Sequential((0..<1500).map { Dense(1, name: name($0)) }, inputShape: [1])
            #expect(try LegacyWeights.load(from: path, into: other.layers).arrayCount == 3000)
            #expect(other.weights == model.weights)
        }
    }

    /// A stack of two convolutions and a normalization, its file, and what is done to the file or the model.
    struct Misfit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: String
        let code: GraftError.Code
        var layers: @Sendable () -> [Layer] = Self.stack
        var write: @Sendable (HDF5WriterGroup) throws -> Void = { try Self.write(Self.entries, to: $0) }

        static func stack() -> [Layer] {
            [Conv2D(4, kernelSize: 3), BatchNormalization(), Conv2D(4, kernelSize: 1)]
        }

        static let entries: [(layer: String, arrays: [(name: String, shape: Shape)])] = [
            ("input_1", []),
            ("conv2d_1", [("kernel:0", [3, 3, 3, 4]), ("bias:0", [4])]),
            (
                "batch_normalization_1",
                [("gamma:0", [4]), ("beta:0", [4]), ("moving_mean:0", [4]), ("moving_variance:0", [4])]
            ),
            ("conv2d_2", [("kernel:0", [1, 1, 4, 4]), ("bias:0", [4])]),
        ]

        static func write(
            _ entries: [(layer: String, arrays: [(name: String, shape: Shape)])], to root: HDF5WriterGroup,
            skipping: String = ""
        ) throws {
            try root.setChunkedAttribute("layer_names", entries.map(\.layer))
            for entry in entries where entry.layer != skipping {
                let group = try root.makeGroup(entry.layer)
                let names = entry.arrays.map { "\(entry.layer)/\($0.name)" }
                try group.setChunkedAttribute("weight_names", names)
                for (name, array) in zip(names, entry.arrays) where name != skipping {
                    try group.write(Tensor(repeating: 1, shape: array.shape), to: name)
                }
            }
        }

        static func replacing(_ layer: Int, _ array: Int, with new: (String, Shape))
            -> @Sendable (HDF5WriterGroup) throws -> Void
        {
            { root in
                var entries = Self.entries
                entries[layer].arrays[array] = new
                try write(entries, to: root)
            }
        }
    }

    static let misfits: [Misfit] = [
        Misfit(
            testDescription: "fewer layers in the model", words: "holds 3 layers with weights, this model has 2; check",
            code: .weights,
            layers: { Array(Misfit.stack().prefix(2)) }),
        Misfit(
            testDescription: "an array too few",
            words: "layer conv2d (conv2d_1 in the file) has 1 arrays (kernel), the file has 2 for it", code: .weights,
            layers: {
                [Conv2D(4, kernelSize: 3, useBias: false)] + Misfit.stack().dropFirst()
            }),
        Misfit(
            testDescription: "another shape",
            words:
                "layer conv2d_1 (conv2d_2 in the file): kernel has the shape (1, 1, 4, 4), the file's has (1, 1, 4, 5)",
            code: .weights, write: Misfit.replacing(3, 0, with: ("kernel:0", [1, 1, 4, 5]))),
        Misfit(
            testDescription: "two arrays exchanged", words: "the file has them in another order: beta, gamma",
            code: .weights,
            write: { root in
                var entries = Misfit.entries
                entries[2].arrays.swapAt(0, 1)
                try Misfit.write(entries, to: root)
            }),
        Misfit(
            testDescription: "a missing group", words: "has no group \"conv2d_2\"", code: .format,
            write: { try Misfit.write(Misfit.entries, to: $0, skipping: "conv2d_2") }),
        Misfit(
            testDescription: "a missing array", words: "conv2d_2/conv2d_2 has no dataset \"bias:0\"", code: .format,
            write: { try Misfit.write(Misfit.entries, to: $0, skipping: "conv2d_2/bias:0") }),
        Misfit(
            testDescription: "no list of arrays", words: "the layer conv2d_2 has no list of its arrays", code: .format,
            write: { root in
                try Misfit.write(Misfit.entries, to: root.makeGroup("model_weights"))
                try root.setAttribute("layer_names", ["conv2d_2"])
                _ = try root.makeGroup("conv2d_2")
            }),
        Misfit(testDescription: "no list of layers", words: "has no list of layers", code: .format, write: { _ in }),
        Misfit(
            testDescription: "the new kind of file", words: "a weights file of Keras 3", code: .format,
            write: { _ = try $0.makeGroup("layers") }),
        Misfit(
            testDescription: "weights of the model itself", words: "1 weights of the model itself (x, …)",
            code: .weights,
            write: { root in
                try Misfit.write(Misfit.entries, to: root)
                try root.makeGroup("top_level_model_weights").setAttribute("weight_names", ["x"])
            }),
        Misfit(
            testDescription: "layers in another order",
            words: "the file's conv2d_2 and conv2d_7 stand where this model has conv2d_1 and conv2d", code: .weights,
            write: { root in
                var entries = Misfit.entries
                entries[1].layer = "conv2d_7"
                try Misfit.write(entries, to: root)
            }),
    ]

    @Test(arguments: misfits)
    func whatDoesNotFitIsNamedAndNothingIsLoaded(misfit: Misfit) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/weights.h5"
            let file = HDF5Writer()
            try misfit.write(file.root)
            try file.write(to: path)
            let model = try Sequential(misfit.layers(), inputShape: [8, 8, 3])
            let error = graftError { try LegacyWeights.load(from: path, into: model.layers) }
            #expect(error?.code == misfit.code)
            #expect(error?.message.contains(misfit.words) == true, "\(error?.message ?? "no error")")
            #expect(model.variables.count { $0.isInitialized } == 0)
        }
    }

    @Test func aModelInsideMayHaveBeenFrozenOrNot() throws {
        let model = try TestModels.nested()
        try #require(model.layers.first).trainable = true
        let report = try LegacyWeights.load(from: Fixture.path("nested-legacy.h5"), into: model.layers)
        for (k, variable) in model.variables.enumerated() {
            #expect(variable.value == TestModels.expected(variable, array: k), "\(variable.path)")
        }
        #expect(report.notes == ["the arrays of base are in another order, as other layers were frozen in the file"])
    }

    @Test func otherNamesAreOnlyNoted() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/weights.h5"
            let file = HDF5Writer()
            var entries = Misfit.entries
            entries[1] = ("convolution2d_1", [("convolution2d_1_W:0", [3, 3, 3, 4]), ("convolution2d_1_b:0", [4])])
            try Misfit.write(entries, to: file.root)
            try file.write(to: path)
            let model = try Sequential(Misfit.stack(), inputShape: [8, 8, 3])
            let report = try LegacyWeights.load(from: path, into: model.layers)
            #expect(report.notes == ["the file calls conv2d convolution2d_1"])
            #expect(report.description.hasPrefix("3 layers, 8 arrays, 148 parameters from "))
        }
    }

    @Test func positionsAloneDecideWhereNamesAreNotChecked() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/weights.h5"
            let file = HDF5Writer()
            var entries = Misfit.entries
            entries[1].layer = "conv2d_7"
            try Misfit.write(entries, to: file.root)
            try file.write(to: path)
            let model = try Sequential(Misfit.stack(), inputShape: [8, 8, 3])
            #expect(try LegacyWeights.load(from: path, into: model.layers, checking: .none).layers.count == 3)
        }
    }
}
