import GraftData
import GraftRuntime

extension Timeline: ReadProfiler {
    package func addRead(_ activity: String, since start: Double) {
        add(activity, category: "read", since: start, thread: "batches")
    }
}
