/// How often a run of `fit` is kept, and where, so that it can continue after whatever ended it: a crash, a power cut, a
/// wish to stop.
///
/// ```swift
/// try model.fit(
///     photos.training, epochs: 50, validation: photos.validation,
///     checkpoint: Checkpointing("cats-and-dogs.checkpoint", every: .seconds(300)))
/// ```
///
/// The same program, started again, continues where the last checkpoint was taken, in the middle of an epoch too, and ends
/// with the same bits as a run that nothing ended. At the end of a complete run the file is removed.
public struct Checkpointing: Sendable {
    /// When a checkpoint is taken.
    public struct Interval: Sendable, Hashable, CustomStringConvertible {
        /// The ways to count.
        package enum Rule: Sendable, Hashable {
            case never
            case epoch
            case steps(Int)
            case seconds(Double)
        }

        package let rule: Rule

        private init(_ rule: Rule) { self.rule = rule }

        /// At the end of each epoch.
        public static let epoch = Interval(.epoch)
        /// Where somebody asks the run to stop, and at no other time.
        public static let never = Interval(.never)

        /// After every so many steps, counted since `compile`, and at the end of each epoch.
        public static func steps(_ count: Int) -> Interval { Interval(.steps(count)) }

        /// After the first step or epoch that is done when so many seconds have passed since the last one was taken.
        /// Where writing takes long, less often: at most a twentieth of the time goes into it.
        public static func seconds(_ seconds: Double) -> Interval { Interval(.seconds(seconds)) }

        /// The interval in words: `every 300.0 seconds`.
        public var description: String {
            switch rule {
            case .never: "when the run is stopped"
            case .epoch: "every epoch"
            case .steps(let count): "every \(count) steps"
            case .seconds(let seconds): "every \(seconds) seconds"
            }
        }
    }

    /// When a checkpoint is taken; whatever it is, one is taken where somebody asks the run to stop.
    public var interval: Interval
    /// Whether a run continues from a checkpoint that is there; otherwise it begins anew and replaces it.
    public var resumes: Bool
    /// Whether the checkpoint stays after a complete run: a program with several calls of `fit`, each with a file of its
    /// own, then passes over those that were complete.
    public var keepsFile: Bool
    /// What else the program needs to keep; not looked at.
    public var notes: Configuration = .null
    /// Whether the file is of several calls of `fit`, one after the other: none of them removes it.
    package var isShared = false
    /// Where checkpoints are kept.
    package let storage: any CheckpointStorage

    /// Checkpoints in a storage.
    package init(
        storage: any CheckpointStorage, every interval: Interval, resumes: Bool = true, keepsFile: Bool = false
    ) {
        (self.storage, self.interval) = (storage, interval)
        (self.resumes, self.keepsFile) = (resumes, keepsFile)
    }

    /// - Throws: `argument` for a number of steps or seconds that is not above 0.
    package func validate() throws(GraftError) {
        switch interval.rule {
        case .steps(let count) where count < 1:
            throw GraftError(.argument, "checkpoints were to be taken every \(count) steps; it must be 1 or more")
        case .seconds(let seconds) where !(seconds >= 0):
            throw GraftError(.argument, "checkpoints were to be taken every \(seconds) seconds; it must be 0 or more")
        default: break
        }
    }
}
