import ArgumentParser
import Foundation
import Graft

/// How fast images become batches: decoded, resized, augmented.
struct ImagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images",
        abstract:
            "Read a folder of images in batches, several times, and print images a second, and a second of processor time, of each pass.",
        discussion: "The first pass is a warm-up and is not printed. With --augment each pass draws another view.")

    @Argument(help: "The folder of images; folders inside are searched too.")
    var folder: String

    @Option(help: "The height and width that images are brought to.")
    var size = 150

    @Option(help: "Images in a batch.")
    var batchSize = 32

    @Option(help: "How many passes are timed.")
    var passes = 3

    @Option(help: "How images are resized.", transform: { ResizeMethod(rawValue: $0) ?? .keras })
    var resize = ResizeMethod.keras

    @Option(help: "How views differ from their images.", transform: { try Augmentation($0) })
    var augment: Augmentation?

    @Option(help: "Bytes of decoded images that are kept, with --augment: what is timed is the drawing of views then.")
    var cacheLimit = 0

    @Option(help: "How many threads decode; all cores if not given.")
    var threads: Int?

    func run() throws {
        let files = try ImageFiles(
            below: folder, rule: ImageRule(height: size, width: size, resize: resize), threads: threads)
        let views = try augment.map {
            try AugmentedImages(files, $0, views: passes + 1, cacheLimit: cacheLimit)
        }
        var (rates, processor): ([String], [String]) = ([], [])
        for pass in 0...passes {
            let (clock, used) = (ContinuousClock.now, Self.processorSeconds)
            for start in stride(from: 0, to: files.count, by: batchSize) {
                let images = start..<min(start + batchSize, files.count)
                let batch = try views?.batch(images.map { pass * files.count + $0 }) ?? files.batch(Array(images))
                guard batch.failures.isEmpty else {
                    throw GraftError(.data, "\(batch.failures[0]): only whole images are timed")
                }
            }
            guard pass > 0 else { continue }
            rates.append("\(Double(files.count) / (ContinuousClock.now - clock).inSeconds)")
            processor.append("\(Double(files.count) / (Self.processorSeconds - used))")
        }
        print(
            "{\"images\":\(files.count),\"rates\":[\(rates.joined(separator: ","))],"
                + "\"processor\":[\(processor.joined(separator: ","))]}")
    }

    /// What all threads of this process used so far.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
