import Foundation
import Graft

/// A folder that holds images and no folders of classes: what they show may stand in its name, or in theirs.
struct FlatFolder {
    private let path: String
    private let files: ImageFiles
    private let rule: ImageRule

    /// `nil` where the folder is not there, holds no images, or has some in folders below.
    init?(at path: String, rule: ImageRule) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue,
            let files = try? ImageFiles(below: path, rule: rule)
        else { return nil }
        let root = path.hasSuffix("/") ? path : path + "/"
        guard files.paths.allSatisfy({ !$0.dropFirst(root.count).contains("/") }) else { return nil }
        (self.path, self.files, self.rule) = (path, files, rule)
    }

    /// The images with their classes, and what is left out.
    ///
    /// - Parameter classNames: those of the model; `nil` where it does not say.
    /// - Throws: `GraftError` with code `data` where nothing says what the images show.
    func examples(
        classNames: [String]?, threads: Int?
    ) throws(GraftError) -> (examples: ImageDataset, leftOut: [String]) {
        let names = classNames ?? []
        let labels = files.paths.map { label(of: $0, names) }
        guard labels.contains(where: { $0 != nil }) else {
            let wayOut =
                classNames == nil
                ? "the model does not say what its classes are called either: give --classes, and"
                : "of the model's classes, \(names.prefix(5).joined(separator: ", ")), none is named:"
            throw GraftError(
                .data,
                "\(path) holds images and no folders of classes, and \(wayOut) put each class's images into a folder of its "
                    + "name, or begin their names with it, such as \(names.first ?? "cats").1.jpg; graft predict says what "
                    + "images without labels show")
        }
        let labelled = zip(files.paths, labels).compactMap { path, label in label.map { (path, $0) } }
        let nameless = zip(files.paths, labels).filter { $1 == nil }.map { "\($0.0): its name begins with no class" }
        let examples = try ImageDataset(
            paths: labelled.map(\.0), labels: labelled.map(\.1), classNames: names, rule: rule, threads: threads)
        return (examples, files.problems.map(\.description) + nameless)
    }

    /// The class that the folder is called, or that a file's name begins with.
    private func label(of file: String, _ names: [String]) -> Int? {
        let folder = URL(filePath: path).standardizedFileURL.lastPathComponent.lowercased()
        if let label = names.firstIndex(where: { $0.lowercased() == folder }) { return label }
        let name = (file as NSString).lastPathComponent.lowercased()
        let begun = names.indices.filter { index in
            let start = names[index].lowercased()
            guard name.hasPrefix(start), let next = name.dropFirst(start.count).first else { return false }
            return !next.isLetter
        }
        return begun.max { names[$0].count < names[$1].count }
    }
}
