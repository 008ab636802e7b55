import GraftModel

/// Where a run is in its epochs: what the loop of training keeps besides variables.
struct RunPosition {
    /// The epoch that runs or is next, 1 for the first.
    var epoch = 1
    /// Whether it has begun.
    private(set) var isInEpoch = false
    /// The steps of it that are done.
    var step = 0
    /// The examples of it, in its order, that are done with.
    var done = 0
    /// Its loss and metrics so far.
    var figures: RunningMetrics
    /// The training examples that were known to be unreadable when it began, and so are not in its order.
    private(set) var leftOut: Set<Int> = []
    /// The training examples that are known to be unreadable by now.
    var unreadable: Set<Int> = []
    /// The wall time of it in an earlier process.
    private var secondsBefore = 0.0
    private var clock = Stopwatch()

    init(_ measures: Measures) { figures = RunningMetrics(measures) }

    /// The wall time of the epoch so far.
    var seconds: Double { secondsBefore + clock.seconds }

    /// Begins the epoch.
    mutating func begin(_ measures: Measures) {
        (isInEpoch, leftOut, figures) = (true, unreadable, RunningMetrics(measures))
    }

    /// Ends the epoch; the next one is next.
    mutating func end() {
        epoch += 1
        (isInEpoch, step, done, secondsBefore) = (false, 0, 0, 0)
        clock = Stopwatch()
    }

    /// Lets time pass from now on.
    mutating func startClock() { clock = Stopwatch() }
}

extension RunPosition {
    /// As a checkpoint keeps it.
    var configuration: Configuration {
        [
            "epoch": .int(epoch), "is_in_epoch": .bool(isInEpoch), "step": .int(step), "done": .int(done),
            "figures": figures.configuration, "seconds": .double(seconds),
            "left_out": .array(leftOut.sorted().map { .int($0) }),
            "unreadable": .array(unreadable.sorted().map { .int($0) }),
        ]
    }

    /// Takes back what ``configuration`` gave.
    ///
    /// - Parameter count: the number of training examples.
    mutating func restore(_ values: StoredValues, count: Int) throws(GraftError) {
        epoch = try values.integer("epoch", in: 1...(.max))
        isInEpoch = try values.flag("is_in_epoch")
        step = try values.integer("step", in: 0...(.max))
        done = try values.integer("done", in: 0...count)
        secondsBefore = try values.number("seconds")
        leftOut = Set(try values.integers("left_out", in: 0..<count))
        unreadable = Set(try values.integers("unreadable", in: 0..<count))
        guard done <= count - leftOut.count else { throw values.wrong("done", "is beyond the epoch's examples") }
        try figures.restore(values.part("figures"))
    }
}

extension RunningMetrics {
    /// As a checkpoint keeps them.
    var configuration: Configuration {
        let state = state
        return [
            "loss": .double(state.loss), "examples": .int(state.examples),
            "statistics": .array(state.statistics.map { .array($0.map { .double($0) }) }),
        ]
    }

    /// Takes back what ``configuration`` gave.
    mutating func restore(_ values: StoredValues) throws(GraftError) {
        var restored = state
        restored.loss = try values.number("loss")
        restored.examples = try values.integer("examples", in: 0...(.max))
        let lists = try values.elements("statistics")
        guard lists.count == restored.statistics.count else { throw values.wrong("statistics", "is of other metrics") }
        for (index, list) in lists.enumerated() {
            let numbers = (list.elements ?? []).compactMap(\.number)
            guard numbers.count == list.elements?.count else { throw values.wrong("statistics", "holds no numbers") }
            restored.statistics[index] = numbers
        }
        state = restored
    }
}
