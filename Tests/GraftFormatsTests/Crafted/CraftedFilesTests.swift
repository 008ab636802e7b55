import Foundation
import GraftTestSupport
import Testing

@testable import GraftFormats

/// Small files that are made to cost much: each is refused in words, or read, within 64 MB and twice its size, and a second.
@Suite(.timeLimit(.minutes(10))) struct CraftedFilesTests {
    @Test(arguments: CraftedWeights.allCases)
    func weightsCostNoMoreThanTheirSizePermits(crafted: CraftedWeights) async {
        await #expect(processExitsWith: .success) { [crafted = crafted as CraftedWeights] in
            try withTemporaryFolder { folder in
                let (path, bytes) = (folder + "/crafted.h5", crafted.bytes)
                try write(bytes, to: path)
                let model = try CraftedWeights.model()
                var error: GraftError?
                let costs = Costs { error = graftError { try model.loadWeights(path) } }
                #expect(error?.message.hasPrefix(path) == true)
                #expect(error?.message.contains(crafted.message) == true, "\(error?.message ?? "no error")")
                #expect(costs.arePermitted(forFileOf: bytes.count), "\(costs) of \(bytes.count) bytes")
            }
        }
    }

    /// The same weights as a member that is packed: the archive has a few kilobytes.
    @Test func linksToOneArrayInAnArchiveAreRefused() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                let path = folder + "/crafted.keras"
                let configuration = try CraftedWeights.model().serialized
                try ZipWriter.write(
                    [
                        ZipWriter.Member("config.json", bytes: configuration.json(), packed: true),
                        ZipWriter.Member("model.weights.h5", bytes: CraftedWeights.links.bytes, packed: true),
                    ], to: path)
                var error: GraftError?
                let costs = Costs { error = graftError { _ = try Model.load(path) } }
                #expect(
                    error?.message.contains(CraftedWeights.links.message) == true, "\(error?.message ?? "no error")")
                #expect(costs.arePermitted(forFileOf: 100_000), "\(costs)")
            }
        }
    }

    /// A group may have two names, and so may an array that is read by one of them.
    @Test func twoNamesForAGroupAreRead() throws {
        try withTemporaryFolder { folder in
            var file = CraftedHDF5()
            let numbers = file.place([0, 0, 0x80, 0x3F])
            let array = file.place(CraftedHDF5.floats([1], at: numbers))
            let group = file.place(CraftedHDF5.header([CraftedHDF5.link("x", to: array)]))
            let links = ["a", "b"].map { CraftedHDF5.link($0, to: group) }
            try write(file.file(root: CraftedHDF5.header(links)), to: folder + "/two.h5")
            let root = try HDF5File(reading: folder + "/two.h5").root
            #expect(try root.group("a").children() == ["x"] && root.group("b").children() == ["x"])
            for _ in 0..<2 { #expect(try root.dataset("b/x").tensor().scalars == [1]) }
            #expect(
                graftError { _ = try root.dataset("a/x") }?.message
                    == "\(folder)/two.h5: \"a/x\" is a second link to the array \"b/x\"; Graft reads an array by one name"
            )
        }
    }

    /// A safetensors file and a checkpoint of a thousand arrays that are one.
    @Test(arguments: [false, true]) func arraysThatShareARangeAreRefused(inCheckpoint: Bool) async {
        await #expect(processExitsWith: .success) { [inCheckpoint = inCheckpoint as Bool] in
            try withTemporaryFolder { folder in
                let count = 3 << 20
                let entry = #"{"dtype":"F32","shape":[\#(count / 4)],"data_offsets":[0,\#(count)]}"#
                let header = (0..<1_000).map { "\"\($0)\":\(entry)" }.joined(separator: ",")
                let bytes = SafetensorsBytes.file(header: "{\(header)}", data: [UInt8](repeating: 0, count: count))
                let path = folder + (inCheckpoint ? "/crafted.checkpoint" : "/crafted.safetensors")
                if inCheckpoint {
                    let members = [
                        ZipWriter.Member("checkpoint.json", bytes: Array("{}".utf8)),
                        ZipWriter.Member("tensors.safetensors", bytes: bytes),
                    ]
                    try ZipWriter.write(members, to: path)
                } else {
                    try write(bytes, to: path)
                }
                var error: GraftError?
                let costs = Costs {
                    error = graftError {
                        if inCheckpoint {
                            _ = try CheckpointFile(path).read()
                        } else {
                            _ = try SafetensorsFile(reading: path)
                        }
                    }
                }
                #expect(error?.message.contains("overlaps with") == true, "\(error?.message ?? "no error")")
                #expect(costs.arePermitted(forFileOf: bytes.count), "\(costs)")
            }
        }
    }

    /// JSON of many values in few bytes, packed into an archive of kilobytes.
    @Test(arguments: [
        #"{"a":1}"#, "1", "[]", "{}", #"["x"]"#, #"{"a":{"b":{"c":[]}}}"#, "1.5",
    ])
    func configurationsOfManyValuesAreRefused(value: String) async {
        await #expect(processExitsWith: .success) { [value = value as String] in
            try withTemporaryFolder { folder in
                // What repeats packs to a thousandth, which is refused by itself; a tenth of a megabyte does not pack.
                var random = SplitMix(seed: 1)
                let noise = (0..<25_000).map { _ in String(UInt32.random(in: 0...(.max), using: &random), radix: 16) }
                let count = (Int(ZipArchive.smallByteCountInMemory) - 250_000) / (value.utf8.count + 1)
                let values = [String](repeating: value, count: count).joined(separator: ",")
                let text = "[\"\(noise.joined())\",\(values)]"
                for name in ["config.json", "graft.json"] {
                    let path = folder + "/" + name + ".keras"
                    let plain = try TestModels.sequential().serialized.json()
                    try ZipWriter.write(
                        [
                            ZipWriter.Member(
                                "config.json", bytes: name == "config.json" ? Array(text.utf8) : plain, packed: true),
                            ZipWriter.Member("graft.json", bytes: Array(text.utf8), packed: true),
                        ], to: path)
                    var error: GraftError?
                    let costs = Costs { error = graftError { _ = try Model.load(path) } }
                    #expect(
                        error?.message.contains("JSON of too many values") == true, "\(error?.message ?? "no error")")
                    #expect(costs.arePermitted(forFileOf: 100_000), "\(costs)")
                }
            }
        }
    }

    @Test func textThatExpandsTooMuchIsNotReadIntoMemory() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/crafted.keras"
            let text = [UInt8](repeating: 0x20, count: (16 << 20))
            try ZipWriter.write([ZipWriter.Member("config.json", bytes: text, packed: true)], to: path)
            let message = graftError { _ = try Model.load(path) }?.message
            #expect(message?.hasPrefix("\(path): the member config.json declares 16777216 bytes and stores ") == true)
        }
    }

    /// What the largest networks need is far below what is permitted.
    @Test func aConfigurationOfThousandsOfLayersIsRead() throws {
        let layers: [Configuration] = (0..<8_000).map { number in
            let dtype: Configuration = [
                "module": "keras", "class_name": "DTypePolicy", "config": ["name": "float32"], "registered_name": nil,
            ]
            let activation: Configuration = [
                "name": .string("conv2d_\(number)"), "trainable": true, "dtype": dtype, "filters": 64,
                "kernel_size": [3, 3],
                "strides": [1, 1], "padding": "same", "data_format": "channels_last", "activation": "relu",
                "use_bias": false,
                "kernel_initializer": [
                    "module": "keras.initializers", "class_name": "GlorotUniform", "config": ["seed": nil],
                ],
            ]
            return [
                "module": "keras.layers", "class_name": "Conv2D", "config": activation,
                "name": .string("conv2d_\(number)"),
            ]
        }
        let value: Configuration = ["config": ["layers": .array(layers)]]
        #expect(try Configuration(json: value.json()) == value)
    }
}
