import GraftGraph
import Synchronization

/// How a backend is to compute: what every backend understands.
package struct BackendSettings: Sendable, Hashable {
    /// How many threads of this process compute; all cores where it is `nil`.
    package var threads: Int?
    /// What convolutions compute in.
    package var precision: Precision
    /// Where runs are written down; nowhere where it is `nil`.
    package var timeline: Timeline?

    /// Settings with these values.
    package init(threads: Int? = nil, precision: Precision = .float32, timeline: Timeline? = nil) {
        (self.threads, self.precision, self.timeline) = (threads, precision, timeline)
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.threads == right.threads && left.precision == right.precision && left.timeline === right.timeline
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(threads)
        hasher.combine(precision)
        hasher.combine(timeline.map { ObjectIdentifier($0) })
    }
}

/// A kind of machine that this program can compute on.
package struct BackendDescription: Sendable {
    /// Its name: `cpu`.
    package let name: String
    /// Whether it multiplies bfloat16 by instructions of its own.
    package let hasBFloat16: @Sendable () -> Bool
    /// Makes the backend.
    package let make: @Sendable (BackendSettings) throws -> any Backend

    /// A kind of machine.
    package init(
        name: String, hasBFloat16: @escaping @Sendable () -> Bool,
        make: @escaping @Sendable (BackendSettings) throws -> any Backend
    ) {
        (self.name, self.hasBFloat16, self.make) = (name, hasBFloat16, make)
    }
}

/// The backends that are linked into this program. Each makes itself known before `main` begins, from a constructor in C;
/// nothing changes afterwards.
package enum BackendRegistry {
    private static let known = Mutex<[BackendDescription]>([])

    /// Makes a backend known; the first one is the standard.
    package static func register(_ description: BackendDescription) { known.withLock { $0.append(description) } }

    /// The backend that is taken where none is named.
    ///
    /// - Throws: `GraftError` with code `backend` where none is linked into the program.
    package static var standard: BackendDescription {
        get throws(GraftError) {
            guard let first = known.withLock({ $0.first }) else {
                throw GraftError(
                    .backend, "no backend is linked into this program; import Graft, which brings the CPU's")
            }
            return first
        }
    }
}
