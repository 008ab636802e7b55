import Foundation
import Graft
import Synchronization

/// The one thread that computes: a model uses all cores by itself, and what several would do at once takes longer for all.
final class ComputeThread: Sendable {
    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let arrival = DispatchSemaphore(value: 0)

    init() {
        let thread = Thread { [self] in
            while true {
                arrival.wait()
                let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                job?()
            }
        }
        thread.name = "graft-compute"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Does something behind all that was asked for before.
    func perform(_ job: @escaping @Sendable () -> Void) {
        jobs.withLock { $0.append(job) }
        arrival.signal()
    }

    /// Does something and gives back what it came to.
    func result<Value: Sendable>(of work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            perform { continuation.resume(with: Result { try work() }) }
        }
    }
}

/// Puts images that came at about the same time into one batch (dynamic batching).
///
/// While a batch is computed, what comes in waits and becomes the next one. A batch that is not full waits a little for images
/// that are being decoded at that moment, and never longer than `wait`.
final class Batcher: Sendable {
    struct Settings: Sendable {
        /// The most images of a batch.
        var batchSize = 8
        /// How long an image waits for company.
        var wait = 0.002
    }

    private struct Entry {
        let image: Tensor
        let name: String
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Classification, any Error>
    }

    private struct State {
        var waiting: [Entry] = []
        var isScheduled = false
    }

    private let classifier: Classifier
    private let settings: Settings
    private let thread: ComputeThread
    private let metrics: Metrics
    private let modelName: String
    private let state = Mutex(State())
    private let arrival = DispatchSemaphore(value: 0)
    private let isWaiting = Atomic(false)
    /// Images of this model that are being decoded.
    private let coming = Atomic(0)
    /// Seconds that one image and a whole batch take, measured when the model was warmed.
    private let cost = Mutex((single: 0.0, batch: 0.0))

    init(
        _ classifier: Classifier, named name: String, _ settings: Settings, _ thread: ComputeThread, _ metrics: Metrics
    ) {
        (self.classifier, modelName, self.settings) = (classifier, name, settings)
        (self.thread, self.metrics) = (thread, metrics)
    }

    /// Makes both plans and measures what they take, so that the first answer is as fast as the next.
    func warm() async throws {
        try await thread.result { [self] in
            let rule = classifier.rule
            let image = Tensor(repeating: 127, shape: Shape([1, rule.height, rule.width, rule.channels]))
            let many = Tensor(
                repeating: 127, shape: Shape([settings.batchSize, rule.height, rule.width, rule.channels]))
            let names = [String](repeating: "", count: settings.batchSize)
            for _ in 0..<2 {
                let start = ContinuousClock.now
                _ = try classifier.classify(prepared: image, names: [""], batchSize: 1)
                let single = ContinuousClock.now
                _ = try classifier.classify(prepared: many, names: names, batchSize: settings.batchSize)
                let end = ContinuousClock.now
                cost.withLock { $0 = ((single - start).inSeconds, (end - single).inSeconds) }
            }
        }
    }

    /// Seconds that so many images take by themselves.
    func seconds(for count: Int) -> Double {
        let (single, batch) = cost.withLock(\.self)
        let batches = Double((count + settings.batchSize - 1) / settings.batchSize)
        return min(Double(count) * single, batches * batch)
    }

    /// Decodes an image somewhere, and answers it here.
    func answer(
        name: String, deadline: ContinuousClock.Instant, preparing prepare: () async throws -> Tensor
    ) async throws -> Classification {
        coming.add(1, ordering: .relaxed)
        let image: Tensor
        do {
            image = try await prepare()
        } catch {
            coming.subtract(1, ordering: .relaxed)
            throw error
        }
        return try await withCheckedThrowingContinuation { continuation in
            let starts = state.withLock { state in
                state.waiting.append(
                    Entry(image: image, name: name, deadline: deadline, continuation: continuation))
                defer { state.isScheduled = true }
                return !state.isScheduled
            }
            coming.subtract(1, ordering: .relaxed)
            if isWaiting.load(ordering: .relaxed) { arrival.signal() }
            if starts { thread.perform { [self] in step() } }
        }
    }

    /// Computes one batch; others' models come between it and the next.
    private func step() {
        waitForCompany()
        let entries = state.withLock { state in
            let count = min(state.waiting.count, settings.batchSize)
            defer { state.waiting.removeFirst(count) }
            return Array(state.waiting.prefix(count))
        }
        compute(entries)
        let goesOn = state.withLock { state in
            state.isScheduled = !state.waiting.isEmpty
            return state.isScheduled
        }
        if goesOn { thread.perform { [self] in step() } }
    }

    private func waitForCompany() {
        let end = DispatchTime.now() + settings.wait
        isWaiting.store(true, ordering: .relaxed)
        defer { isWaiting.store(false, ordering: .relaxed) }
        while coming.load(ordering: .relaxed) > 0, state.withLock({ $0.waiting.count }) < settings.batchSize {
            if arrival.wait(timeout: end) == .timedOut { return }
        }
    }

    private func compute(_ entries: [Entry]) {
        let now = ContinuousClock.now
        for entry in entries where entry.deadline <= now {
            entry.continuation.resume(
                throwing: Refusal(
                    .serviceUnavailable, "there was no time left to answer; try again soon", retryAfter: 1))
        }
        let entries = entries.filter { $0.deadline > now }
        guard !entries.isEmpty else { return }
        let count = entries.count
        let rule = classifier.rule
        let images = Tensor(uninitialized: Shape([count, rule.height, rule.width, rule.channels])) { target in
            var position = 0
            for entry in entries {
                entry.image.withUnsafeBuffer { source in
                    _ = target[position..<(position + source.count)].initialize(from: source)
                    position += source.count
                }
            }
        }
        let (single, batch) = cost.withLock(\.self)
        let size = count == 1 || Double(count) * single <= batch ? 1 : settings.batchSize
        let result = Result { try classifier.classify(prepared: images, names: entries.map(\.name), batchSize: size) }
        metrics.count(batch: count, of: modelName, seconds: (ContinuousClock.now - now).inSeconds)
        switch result {
        case .success(let answers):
            for (entry, answer) in zip(entries, answers) { entry.continuation.resume(returning: answer) }
        case .failure(let error):
            for entry in entries { entry.continuation.resume(throwing: error) }
        }
    }
}
