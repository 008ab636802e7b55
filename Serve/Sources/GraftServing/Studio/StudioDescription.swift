import Foundation
import Graft

/// A project as the page gets it.
struct StudioDescription {
    let object: JSONObject

    init(_ project: Project, _ training: StudioTraining) {
        var object = JSONObject()
        object.add("folder", .string(project.folder))
        object.add("path", .string(URL(fileURLWithPath: project.folder).standardizedFileURL.path))
        object.add("model", training.result.isThere ? .string(project.modelPath) : .null)
        object.add(
            "classes",
            .objects(
                project.classes.map { entry in
                    var object = JSONObject()
                    object.add("name", .string(entry.name))
                    object.add("images", .strings(entry.images))
                    return object
                }))
        object.add("bases", .objects(Self.bases))
        self.object = object
    }

    /// Those that need no download, Graft's own first.
    private static var bases: [JSONObject] {
        let cache = FileCache.standard()
        let here = Base.all.filter { base in
            base.hasBuiltInWeights || base.weights.flatMap { cache.candidate(for: $0) } != nil
        }
        return here.sorted { $0.hasBuiltInWeights && !$1.hasBuiltInWeights }.map { base in
            var object = JSONObject()
            object.add("id", .string(base.id))
            object.add("title", .string(base.title))
            return object
        }
    }
}
