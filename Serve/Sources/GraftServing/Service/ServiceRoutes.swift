import Graft
import Hummingbird

/// Health, metrics, the description of all routes, and the page that tries them.
struct ServiceRoutes: Sendable {
    let models: ModelStore

    var routes: [Route] {
        [
            Route(.get, "/", isOpen: true) { _ in Page.html(PackageResources.try_html) },
            Route(.get, "/try.js", isOpen: true) { _ in Page.script(PackageResources.try_js) },
            Route(.get, "/page.css", isOpen: true) { _ in Page.style(PackageResources.page_css) },
            Route(.get, "/openapi.json", isOpen: true) { _ in
                Answer.text(
                    String(decoding: PackageResources.openapi_json, as: UTF8.self), type: "application/json")
            },
            Route(.get, "/health/live", isOpen: true) { _ in Answer.text("live\n", type: "text/plain") },
            Route(.get, "/health/ready", isOpen: true) { _ in
                models.isReady
                    ? Answer.text("ready\n", type: "text/plain")
                    : Answer.text("not ready\n", type: "text/plain", status: .serviceUnavailable)
            },
            Route(.get, "/metrics") { _ in
                let machinery = models.machinery
                return Answer.text(
                    machinery.metrics.text(
                        waiting: machinery.admission.count, held: machinery.bodies.heldBytes),
                    type: "text/plain; version=0.0.4; charset=utf-8")
            },
            Route(.get, "/models") { _ in Answer.json(list) },
        ]
    }

    /// The models with their classes, for the page.
    private var list: JSONObject {
        var object = JSONObject()
        object.add(
            "models",
            .objects(
                models.all.map { model in
                    var entry = JSONObject()
                    entry.add("name", .string(model.name))
                    entry.add("classes", .strings(model.classifier.classNames))
                    entry.add("input", .values(model.classifier.rule.shape.dimensions.map { .int($0) }))
                    return entry
                }))
        return object
    }
}
