import GraftCPU
import GraftGraph
import GraftRuntime

extension CPUPlan {
    /// What the plan makes of a batch whose inputs of these names come as rows compressed by a bitmap.
    func feed(_ batch: [String: Tensor], compressing names: Set<String>) throws -> any Feed {
        var arrays = batch.mapValues { HostArray.dense($0) }
        for name in names { arrays[name] = batch[name].map { .bitmap(BitmapRows($0)) } }
        return try feed(arrays)
    }
}
