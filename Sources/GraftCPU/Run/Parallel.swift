internal import CKernels

/// Does tasks 0 ..< `count` at once, each on a thread of its own as far as there are threads, and returns when all are done.
///
/// - Throws: the error of the first task, in their order, that failed.
func inParallel(_ count: Int, _ body: (Int) throws(GraftError) -> Void) throws(GraftError) {
    guard count > 1 else { return try body(0) }
    let errors = UnsafeMutableBufferPointer<GraftError?>.allocate(capacity: count)
    errors.initialize(repeating: nil)
    defer {
        errors.deinitialize()
        errors.deallocate()
    }
    withoutActuallyEscaping(body) { body in
        // Each task writes its own error.
        var tasks = Tasks { task in
            do throws(GraftError) { try body(task) } catch { errors[task] = error }
        }
        withUnsafeMutablePointer(to: &tasks) { tasks in
            graft_parallel(
                Int32(count), { context, task in context?.assumingMemoryBound(to: Tasks.self).pointee.run(Int(task)) },
                tasks)
        }
    }
    if let error = errors.lazy.compactMap(\.self).first { throw error }
}

/// Divides rows among threads, where all of them have enough elements to be worth a second one.
func inParallel(rows: Int, ofElements count: Int, threads: Int, _ body: (Range<Int>) -> Void) throws(GraftError) {
    let parts = rows * count < 1 << 14 ? 1 : max(1, min(threads, rows))
    try inParallel(parts) { part in body(rows * part / parts..<rows * (part + 1) / parts) }
}

private struct Tasks {
    let run: (Int) -> Void
}
