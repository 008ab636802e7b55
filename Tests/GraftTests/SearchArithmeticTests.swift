import Foundation
import Graft
import Synchronization
import Testing

@Suite struct SearchArithmeticTests {
    private static let features = SearchFeatures(
        base: "pocket", cuts: ["features"], pooling: nil, scaling: .standardize)

    private static func trial(_ penalty: Float, _ right: [Int?], sizes: [Int] = [10, 10, 10]) -> SearchTrial {
        SearchTrial(
            SearchCandidate(features, .network(hidden: [], penalty: penalty)), right: right, foldSizes: sizes,
            seconds: 1)
    }

    /// The first is best with 26 of 30. Without its own fold the choice is the second for fold 0 (8 + 9 against 8 + 8 of the
    /// others), the first for the others: 8 + 8 + 8 = 24.
    @Test func theAccuracyOfChoosingIsBelowTheBest() {
        let trials = [Self.trial(1, [10, 8, 8]), Self.trial(2, [8, 8, 9]), Self.trial(3, [nil, 10, 10])]
        #expect(SearchSelection.best(trials) == trials[0])
        #expect(SearchSelection.accuracyOfChoosing(trials) == 24.0 / 30)
        #expect(SearchSelection.accuracyOfChoosing([trials[2]]) == nil)
    }

    @Test func ofEqualTrialsTheFirstIsChosen() {
        let trials = [Self.trial(1, [5, 5, 5]), Self.trial(2, [5, 5, 5])]
        #expect(SearchSelection.best(trials) == trials[0])
    }

    /// Wilson's interval of 8 in 10 is 0.4902 to 0.9433 (Newcombe, Statistics in Medicine 17, 1998, gives such tables).
    @Test func intervalsAreWilsons() {
        let trial = Self.trial(1, [8, nil, nil])
        #expect(trial.accuracy == 0.8 && !trial.isComplete)
        #expect(abs(trial.interval.lowerBound - 0.4902) < 1e-4 && abs(trial.interval.upperBound - 0.9433) < 1e-4)
        #expect(Self.trial(1, [10, 10, 10]).interval.upperBound == 1)
    }

    @Test func theClockKeepsTimeForTheEnd() {
        final class Time: Sendable { let seconds = Mutex(0.0) }
        let time = Time()
        var clock = SearchClock(seconds: 60) { time.seconds.withLock { $0 } }
        #expect(clock.left == 60 && clock.fits(59) && !clock.fits(60) && clock.fits(nil))
        clock.reserve = 10
        time.seconds.withLock { $0 = 45 }
        #expect(clock.left == 5 && clock.leftUntilEnd == 15 && clock.fits(4) && !clock.fits(6) && !clock.isOver)
        time.seconds.withLock { $0 = 51 }
        #expect(clock.isOver && !clock.fits(nil) && clock.leftUntilEnd == 9)
        let free = SearchClock(seconds: nil) { 1e9 }
        #expect(free.left == nil && free.fits(1e9) && !free.isOver)
    }

    @Test func costsFollowWhatWasMeasured() {
        var costs = SearchCosts()
        #expect(costs.seconds("head", units: 10) == nil)
        costs.note("head", units: 10, seconds: 2)
        costs.note("head", units: 30, seconds: 4)
        // 6 s for 40 units.
        #expect(abs((costs.seconds("head", units: 80) ?? 0) - SearchCosts.margin * 12) < 1e-12)
        #expect(costs.seconds("ridge", units: 1) == nil)
    }
}
