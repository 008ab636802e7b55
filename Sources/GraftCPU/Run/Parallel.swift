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

private struct Tasks {
    let run: (Int) -> Void
}
