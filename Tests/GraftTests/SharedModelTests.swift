import Dispatch
import Foundation
import Graft
import Synchronization
import Testing

/// Models that several threads use at once. `Scripts/check-threads` runs this under clang's thread sanitizer.
@Suite struct SharedModelTests {
    /// Sixteen threads ask one model while another one of the same process trains.
    @Test func threadsPredictWhileAnotherModelTrains() throws {
        let leaves = try DrawnLeaves(train: 4, validation: 2)
        let names = ["birch", "ginkgo", "maple", "oak", "willow"]
        let asked = try Classifier(
            DrawnLeaves.model(outputs: 5, activation: .softmax), classNames: names, options: TrainingOptions(threads: 1)
        )
        let images = try leaves.images.map { try leaves.bytes(of: $0) }
        let alone = try images.map { try asked.classify($0).outputs }

        let folder = try ImageFolder(at: leaves.folder, rule: ImageRule(height: 8, width: 8))
        let isDone = Atomic(false)
        let failures = Mutex<[String]>([])
        let answers = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 17) { number in
            do {
                guard number > 0 else {
                    defer { isDone.store(true, ordering: .releasing) }
                    let trained = try DrawnLeaves.model(outputs: 5, activation: .softmax)
                    try trained.compile(optimizer: Adam(), loss: .sparseCategoricalCrossentropy, metrics: [.accuracy])
                    _ = try trained.fit(
                        folder.training, batchSize: 4, epochs: 3,
                        options: TrainingOptions(features: .temporary, threads: 1))
                    return
                }
                var round = 0
                repeat {
                    let index = (number + round) % images.count
                    let outputs = try asked.classify(images[index]).outputs
                    if outputs != alone[index] { failures.withLock { $0.append("thread \(number): another answer") } }
                    answers.add(1, ordering: .relaxed)
                    round += 1
                } while !isDone.load(ordering: .acquiring) || round < 4
            } catch {
                failures.withLock { $0.append("thread \(number): \(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(answers.load(ordering: .relaxed) >= 64)
    }
}
