import GraftGraph
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes down what plans do and when; one for a whole run of a program, shared by its plans and threads.
///
/// Each step's time is added up, whatever happens; single spans are kept for a trace until ``Timeline/spanLimit`` of
/// them are there, so that memory does not grow with the run.
public final class Timeline: Sendable {
    /// A stretch of time on a thread.
    public struct Span: Sendable, Hashable {
        /// What was done: a layer, an epoch, a batch that was read.
        public var name: String
        /// What kind of thing it is: an operation's name, `epoch`, `step`, `read`.
        public var category: String
        /// The thread, counted from 1 in the order of their first spans.
        public var lane: Int
        /// Seconds since the timeline began.
        public var start: Double
        /// How long it took, in seconds.
        public var seconds: Double
        /// The kernel of a plan's step; empty for other spans.
        public var implementation: String

        /// Seconds since the timeline began, at the end.
        public var end: Double { start + seconds }
    }

    /// The most spans of plans' steps that are kept.
    public static let spanLimit = 200_000

    private let origin = Timeline.seconds
    private let state = Mutex(State())

    private struct State {
        var plans: [Plan] = []
        var runs: [Run] = []
        var spans: [Span] = []
        var lanes: [UInt64: Int] = [:]
        var laneNames: [Int: String] = [:]
        var stepSpanCount = 0
        var leftOutCount = 0

        /// The calling thread's lane.
        mutating func lane(named name: String) -> Int {
            let thread = Timeline.thread
            if let lane = lanes[thread] { return lane }
            let lane = lanes.count + 1
            lanes[thread] = lane
            laneNames[lane] = name
            return lane
        }
    }

    private struct Plan {
        var steps: [StepProfile]
        /// The share of the threads that one run has; its steps' times are added up by it, so that they are held against what
        /// all threads can do.
        let share: Double
    }

    /// A plan's run: where each step began, and where the last ended.
    private struct Run {
        let plan: Int
        let name: String
        let lane: Int
        let times: [Double]
    }

    /// A timeline that begins now.
    public init() {}

    /// A number that the calling thread has alone while it lives.
    private static var thread: UInt64 {
        #if canImport(Glibc)
            UInt64(pthread_self())
        #else
            UInt64(UInt(bitPattern: pthread_self()))
        #endif
    }

    /// The seconds of the clock by which plans time their steps: the monotonic one.
    package static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Seconds since it began.
    public var now: Double { Self.seconds - origin }

    // MARK: Writing

    /// Adds a span that ends now, on the calling thread.
    ///
    /// - Parameters:
    ///   - start: what ``now`` was when it began.
    ///   - thread: the thread's name; that of its first span stays.
    public func add(_ name: String, category: String, since start: Double, thread: String = "graft") {
        let end = now
        state.withLock { state in
            let lane = state.lane(named: thread)
            state.spans.append(
                Span(
                    name: name, category: category, lane: lane, start: start, seconds: max(0, end - start),
                    implementation: ""))
        }
    }

    /// Names the calling thread, unless it has spans already.
    public func nameThread(_ name: String) { state.withLock { _ = $0.lane(named: name) } }

    /// Takes up a plan, one run of which has such a share of the threads.
    ///
    /// - Returns: its number, for ``add(runOf:name:times:)``.
    package func register(_ steps: [StepProfile], share: Double = 1) -> Int {
        state.withLock { state in
            state.plans.append(Plan(steps: steps, share: share))
            return state.plans.count - 1
        }
    }

    /// Adds a plan's run: `times` are the clock's seconds where each step began and where the last ended.
    package func add(runOf plan: Int, name: String, times: [Double]) {
        let times = times.map { $0 - origin }
        state.withLock { state in
            let lane = state.lane(named: "graft")
            let share = state.plans[plan].share
            for step in state.plans[plan].steps.indices {
                state.plans[plan].steps[step].count += 1
                state.plans[plan].steps[step].seconds += share * (times[step + 1] - times[step])
            }
            guard state.stepSpanCount + times.count <= Self.spanLimit else {
                state.leftOutCount += times.count
                return
            }
            state.stepSpanCount += times.count
            state.runs.append(Run(plan: plan, name: name, lane: lane, times: times))
        }
    }

    // MARK: Reading

    /// The steps of all plans with their times over all runs, each times the share of the threads that the run had; those that
    /// never ran are left out.
    public var steps: [StepProfile] { state.withLock { $0.plans.flatMap(\.steps) }.filter { $0.count > 0 } }

    /// All spans that were kept, sorted by their beginnings, longer ones first: on each lane, spans that hold others come
    /// before them.
    public var spans: [Span] {
        let (runs, plans, others) = state.withLock { ($0.runs, $0.plans, $0.spans) }
        var spans = others
        for run in runs {
            let (begin, end) = (run.times.first ?? 0, run.times.last ?? 0)
            spans.append(
                Span(
                    name: run.name, category: "plan", lane: run.lane, start: begin, seconds: end - begin,
                    implementation: ""))
            for (position, step) in plans[run.plan].steps.enumerated() {
                spans.append(
                    Span(
                        name: step.label.isEmpty ? step.operation : step.label, category: step.operation,
                        lane: run.lane, start: run.times[position],
                        seconds: run.times[position + 1] - run.times[position], implementation: step.implementation))
            }
        }
        return spans.sorted { ($0.start, -$0.seconds) < ($1.start, -$1.seconds) }
    }

    /// The names of the lanes.
    public var laneNames: [Int: String] { state.withLock { $0.laneNames } }

    /// How many spans of steps were beyond the limit: in the sums, but not among ``spans``.
    public var leftOutCount: Int { state.withLock { $0.leftOutCount } }
}
