import Foundation
import Graft

/// What a run that goes on may write: its checkpoint says where, and a checkpoint may come from somebody else.
///
/// A file that is there already is replaced only where the run itself wrote it, or where the command line names it.
struct ResumedOutputs {
    /// Which run goes on.
    let run: String

    /// - Parameters:
    ///   - path: a model that the run will write.
    ///   - option: the option that names it.
    ///   - named: what the command line says for it.
    /// - Throws: `GraftError` with code `argument` where another file is there.
    func check(_ path: String, option: String, named: String?) throws(GraftError) {
        guard named == nil else { return }
        try checkModel(path, option)
        let recorder = HistoryRecorder(beside: path)
        try check(recorder.csvPath, begins: ["epoch"], path, option)
        try check(recorder.chartPath, begins: ["<svg", "<?xml"], path, option)
    }

    /// - Throws: `GraftError` with code `argument` where another file than a model of this run is there.
    private func checkModel(_ path: String, _ option: String) throws(GraftError) {
        guard exists(path), Model.run(ofFileAt: path) != run else { return }
        throw refusal(of: path, path, option)
    }

    private func check(
        _ path: String, begins beginnings: [String], _ model: String, _ option: String
    ) throws(GraftError) {
        guard exists(path) else { return }
        let head = (try? FileHead(path: path, count: 8).bytes) ?? []
        guard !beginnings.contains(where: { head.starts(with: $0.utf8) }) else { return }
        throw refusal(of: path, model, option)
    }

    /// Whether anything is there, a link that leads nowhere included.
    private func exists(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: path)) != nil
    }

    private func refusal(of path: String, _ model: String, _ option: String) -> GraftError {
        GraftError(
            .argument,
            "--resume: the run would replace \(path), which it did not write; say \(option) \(model) to have it replaced, or "
                + "move it away")
    }
}
