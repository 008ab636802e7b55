import Foundation

@testable import GraftFeatures
@testable import GraftFormats
@testable import GraftGraph

/// The reader that `GRAFT_FUZZ_TARGET` names.
private let target = FuzzTarget(rawValue: ProcessInfo.processInfo.environment["GRAFT_FUZZ_TARGET"] ?? "")

/// Called by libFuzzer once, before any input.
@_cdecl("LLVMFuzzerInitialize")
public func initializeFuzzer(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>
) -> Int32 {
    if let folder = ProcessInfo.processInfo.environment["GRAFT_FUZZ_SEEDS"] {
        do { try Seeds.write(to: folder) } catch {
            print(error)
            exit(1)
        }
        exit(0)
    }
    guard target != nil else {
        print("GRAFT_FUZZ_TARGET names none of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
        exit(1)
    }
    return 0
}

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func readInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    target?.read([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Whole files of the kinds that no fixture has; the script copies the others.
private enum Seeds {
    static func write(to folder: String) throws {
        let tensors = ["a": Tensor([1, 2, 3, 4], shape: [2, 2]), "b": Tensor(zeros: [3])]
        let values: Configuration = ["epoch": 1, "rates": [0.5, .double(.nan)], "notes": ["a": nil, "b": "text"]]
        for target in FuzzTarget.allCases {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(target.rawValue)", withIntermediateDirectories: true)
        }
        _ = try CheckpointFile("\(folder)/checkpoint/seed.checkpoint").write(
            Checkpoint(values: values, tensors: tensors))
        try NumpyFile.write(Tensor([1, 2, 3, 4], shape: [2, 2]), to: "\(folder)/npy/seed.npy")
        try SafetensorsMember.stream(of: tensors).write(to: "\(folder)/safetensors/seed.safetensors")
        try Data(values.json()).write(to: URL(filePath: "\(folder)/configuration/values.json"))
        let model = try Sequential([Conv2D(4, kernelSize: 3), Flatten(), Dense(2)], inputShape: [6, 6, 3])
        try Data(model.serialized.json()).write(to: URL(filePath: "\(folder)/configuration/model.json"))
        try model.save("\(folder)/keras/seed.keras")
        try model.saveWeights("\(folder)/weights/seed.weights.h5")
        try model.exportONNX(to: "\(folder)/onnx/seed.onnx")
        try writeShard(to: "\(folder)/shard")
    }

    private static func writeShard(to folder: String) throws {
        let writer = try FeatureShardWriter(folder: folder, rowByteCount: FuzzTarget.rowByteCount, rowLimit: 4)
        for number in 0..<3 {
            let row = (0..<FuzzTarget.rowByteCount / 4).map { $0 % (number + 1) == 0 ? Float($0) : 0 }
            try row.withUnsafeBytes { try writer.append($0, key: FeatureKey(fingerprint: "\(number)")) }
        }
        _ = try writer.finish()
    }
}
