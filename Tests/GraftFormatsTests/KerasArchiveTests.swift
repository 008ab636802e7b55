import Foundation
import GraftData
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite struct KerasArchiveTests {
    @Test(arguments: TestModels.names)
    func archivesOfKerasPredictWhatKerasPredicts(name: String) throws {
        let model = try Model.load(Fixture.path("\(name).keras"))
        for (k, variable) in model.variables.enumerated() {
            #expect(variable.value == TestModels.expected(variable, array: k), "\(variable.path)")
        }
        let inputs = try model.inputs.indices.map {
            try NumpyFile.tensor(contentsOf: Fixture.path("\(name)-input-\($0).npy"))
        }
        let outputs = try TestModels.predict(model, inputs)
        #expect(outputs.count == model.outputs.count)
        for (index, output) in outputs.enumerated() {
            let expected = try NumpyFile.tensor(contentsOf: Fixture.path("\(name)-output-\(index).npy"))
            // Keras computed in 32 bits, the interpreter in 64: 1e-5 is what the project promises.
            expectClose(output, expected, tolerance: 1e-5, "output \(index) of \(name)")
        }
    }

    @Test(arguments: TestModels.names)
    func whatIsSavedIsLoadedBack(name: String) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/model.keras"
            let model = try TestModels.model(name)
            TestModels.fill(model)
            model.metadata = ModelMetadata(classNames: ["cats", "dögs \"\\"])
            let rule = InputRule.image(ImageRule(height: 150, width: 140, resize: .antialias))
            model.metadata.storedInputRule = rule.configuration
            try model.save(path)
            #expect(try namesInFolder(folder) == ["model.keras"])
            let loaded = try Model.load(path)
            #expect(loaded.serialized == model.serialized)
            #expect(loaded.metadata == model.metadata)
            #expect(loaded.weights == model.weights)
            #expect(loaded.trainableVariables.map(\.path) == model.trainableVariables.map(\.path))
            let inputs = model.inputs.map { Tensor(Fixture.numbers([2] + $0.shape), shape: [2] + $0.shape) }
            #expect(try TestModels.predict(loaded, inputs) == TestModels.predict(model, inputs))
            // Saved again, the metadata is still there.
            try loaded.save(path)
            #expect(try Model.load(path).metadata == model.metadata)
        }
    }

    @Test(arguments: TestModels.names)
    func whatAFileWillTakeIsKnownWithoutInitialValues(name: String) throws {
        let model = try TestModels.model(name)
        let known = model.variables.map(\.isInitialized)
        let byteCount = KerasArchive.byteCount(
            of: try KerasArchive.members(of: model, date: SaveDate(), sizesOnly: true))
        #expect(model.variables.map(\.isInitialized) == known)
        #expect(byteCount == KerasArchive.byteCount(of: try KerasArchive.members(of: model, date: SaveDate())))
    }

    @Test func frozenStatisticsAndConstantsAreSavedAndLoadedBack() throws {
        try withTemporaryFolder { folder in
            let model = try TestModels.model("nested")
            model.setStatistics(.frozen)
            try model.layer(named: "base/conv2d").freezePermanently()
            try model.save(folder + "/model.keras")
            let loaded = try Model.load(folder + "/model.keras")
            #expect(loaded.layerFlags == model.layerFlags)
            #expect(loaded.layerFlags.frozenStatistics == ["base/batch_normalization"])
            loaded.unfreeze()
            #expect(try !loaded.layer(named: "base/conv2d").trainable)
            // Keras writes no such marks, and normalizes in training as it always does.
            #expect(try Model.load(Fixture.path("nested.keras")).layerFlags.isEmpty)
        }
    }

    @Test func theLayoutIsKerassOwn() throws {
        try withTemporaryFolder { folder in
            for name in TestModels.names {
                let model = try Model.load(Fixture.path("\(name).keras"))
                try model.saveWeights(folder + "/own.weights.h5")
                let archive = try ZipArchive(reading: Fixture.path("\(name).keras"))
                try archive.extract("model.weights.h5", to: folder + "/\(name).h5")
                let own = try contents(HDF5File(reading: folder + "/own.weights.h5").root)
                #expect(try own == contents(HDF5File(reading: folder + "/\(name).h5").root))
                #expect(own.count > 5)
            }
        }
    }

    /// Every group and dataset of a file: path, the attribute `name`, and the numbers.
    private func contents(_ group: HDF5Group) throws -> [String] {
        var all = ["\(group.name) \(try group.strings(attribute: "name") ?? [])"]
        for child in group.children() {
            if let dataset = try? group.dataset(child) {
                all.append("\(dataset.name) \(dataset.shape) \(try dataset.tensor().scalars)")
            } else {
                all += try contents(group.group(child))
            }
        }
        return all
    }

    @Test func weightsOfEveryKindFillAModel() throws {
        let model = try TestModels.functional()
        for name in ["functional.keras", "functional.weights.h5", "functional-legacy.h5", "whole-model.h5"] {
            for variable in model.variables { variable.value = Tensor(zeros: variable.shape) }
            let report = try model.loadWeights(Fixture.path(name))
            #expect(report.arrayCount == model.variables.count, "\(name)")
            for (k, variable) in model.variables.enumerated() {
                #expect(variable.value == TestModels.expected(variable, array: k), "\(name): \(variable.path)")
            }
        }
    }

    @Test func compiledModelsAreReadWithoutTheirOptimizer() throws {
        let model = try Model.load(Fixture.path("compiled.keras"))
        #expect(model.weights.map(\.shape) == [[3, 2], [2], [2, 1], [1]])
    }

    @Test func packedWeightsAreUnpackedFirst() throws {
        try withTemporaryFolder { folder in
            let original = try ZipArchive(reading: Fixture.path("nested.keras"))
            let members = try original.members.map {
                ZipWriter.Member($0.name, bytes: try original.read($0.name, limit: 1 << 20), packed: true)
            }
            try ZipWriter.write(members, to: folder + "/packed.keras")
            let model = try Model.load(folder + "/packed.keras")
            #expect(try model.weights == Model.load(Fixture.path("nested.keras")).weights)
        }
    }

    @Test func openSizesAreAskedFor() throws {
        let path = Fixture.path("any-size.keras")
        let error = graftError { _ = try Model.load(path) }
        #expect(error?.code == .shape)
        #expect(
            error?.message.contains("has the shape (None, None, None, 3), which leaves sizes open; say which") == true)
        #expect(try Model.load(path, inputShape: [9, 7, 3]).input.shape == [9, 7, 3])
        #expect(
            graftError { _ = try Model.load(path, inputShape: [9, 7, 4]) }?.message.contains("does not fit it") == true)
        #expect(graftError { _ = try Model.load(path, inputShape: [9, 7]) }?.code == .shape)
    }

    @Test func otherEndingsAreRefused() throws {
        let model = try TestModels.nested()
        #expect(graftError { try model.save("model.h5") }?.code == .argument)
        #expect(graftError { try model.saveWeights("model.h5") }?.code == .argument)
        #expect(graftError { try Sequential([Dense(1)]).save("x.keras") }?.code == .state)
    }

    /// An archive of Keras with one member replaced, or without it.
    private func archive(_ folder: String, replacing name: String, with bytes: [UInt8]?) throws -> String {
        let original = try ZipArchive(reading: Fixture.path("nested.keras"))
        let path = folder + "/\(UUID().uuidString).keras"
        var members = try original.members.filter { $0.name != name }
            .map { ZipWriter.Member($0.name, bytes: try original.read($0.name, limit: 1 << 20)) }
        bytes.map { members.append(ZipWriter.Member(name, bytes: $0)) }
        try ZipWriter.write(members, to: path)
        return path
    }

    @Test(arguments: [
        ("config.json", nil, "has no member config.json"),
        ("config.json", "{", "not valid JSON"),
        ("config.json", "{\"class_name\": \"Lambda\", \"config\": {}}", "the model class Lambda is not known"),
        ("model.weights.h5", nil, "has no member model.weights.h5"),
        ("model.weights.h5", "no", "nested.keras"),
        ("graft.json", "[]", "graft.json has no format_version"),
        ("graft.json", "{\"format_version\": 2, \"metadata\": {}}", "is of version 2, this Graft reads up to 1"),
        ("graft.json", "{\"format_version\": 1, \"metadata\": {\"image\": 3}}", "graft.json cannot be understood"),
    ])
    func damagedMembersAreNamed(member: String, content: String?, words: String) throws {
        try withTemporaryFolder { folder in
            let path = try archive(folder, replacing: member, with: content.map { Array($0.utf8) })
            let error = graftError { _ = try Model.load(path) }
            #expect(error?.code == .format)
            let expected = words == "nested.keras" ? "\(path) (model.weights.h5) is not an HDF5 file" : words
            #expect(error?.message.contains(expected) == true, "\(error?.message ?? "no error")")
            #expect(error?.message.hasPrefix(path) == true)
        }
    }

    @Test func fieldsOfALaterGraftArePassedOver() throws {
        let text = #"{"format_version": 1, "metadata": {"class_names": ["a"], "later": 1}, "more": []}"#
        #expect(try GraftMember(json: Array(text.utf8)).metadata == ModelMetadata(classNames: ["a"]))
    }

    /// The text that Graft has written from the beginning; an older Graft reads it too.
    @Test func anImageRuleKeepsItsPlaceAndForm() throws {
        let text = """
            {
              "format_version": 1,
              "metadata": {
                "class_names": [
                  "a"
                ],
                "image": {
                  "channels": 1,
                  "height": 150,
                  "resize": "antialias",
                  "width": 140
                }
              }
            }
            """
        let rule = InputRule.image(ImageRule(height: 150, width: 140, channels: 1, resize: .antialias))
        var metadata = ModelMetadata(classNames: ["a"])
        metadata.storedInputRule = rule.configuration
        #expect(try String(decoding: GraftMember(metadata).json(), as: UTF8.self) == text)
        #expect(try GraftMember(json: Array(text.utf8)).metadata == metadata)
    }

    @Test func rulesOfOtherKindsComeBackAndAreWrittenAgain() throws {
        let rule = InputRule.tokens(try TokenRule(maximumLength: 16, vocabulary: "words"))
        for stored in [rule.configuration, ["sound": ["sample_rate": 16000, "window_size": [25, 10.5]]]] {
            var metadata = ModelMetadata(outputActivation: .softmax)
            metadata.storedInputRule = stored
            let bytes = try GraftMember(metadata).json()
            #expect(try Configuration(json: bytes)["metadata"]?["input_rule"] == stored)
            #expect(try GraftMember(json: bytes).metadata == metadata)
        }
    }

    @Test func weightsOfAnotherModelAreRefusedWhole() throws {
        let model = try TestModels.nested()
        let before = model.weights
        let error = graftError { try model.loadWeights(Fixture.path("sequential.keras")) }
        #expect(error?.code == .weights)
        #expect(error?.message.contains("the file has nothing for the layer") == true)
        #expect(model.weights == before)
    }
}
