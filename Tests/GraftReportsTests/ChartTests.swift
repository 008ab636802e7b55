import Foundation
import Testing

@testable import GraftReports

@Suite struct ChartTests {
    @Test(arguments: [
        ([0.0, 1.0], ["0.0", "0.5", "1.0"]),
        ([0.871, 0.957], ["0.85", "0.90", "0.95", "1.00"]),
        ([0.5, 0.5], ["0.46", "0.48", "0.50", "0.52", "0.54"]),
        ([0.0, 0.0], ["-0.5", "0.0", "0.5"]),
        ([12, 4300], ["0", "2000", "4000", "6000"]),
        ([.nan, .infinity, 2, 3], ["2.0", "2.5", "3.0"]),
    ])
    func ticksAreRoundNumbersAroundAllOthers(numbers: [Double], labels: [String]) {
        #expect(AxisTicks(covering: numbers).labels == labels)
    }

    @Test func anythingHasTicks() {
        let hostile: [[Double]] = [
            [], [.nan], [.infinity], [-.infinity, .infinity], [1e300, -1e300], [.leastNonzeroMagnitude],
            [.leastNonzeroMagnitude, .leastNormalMagnitude],
            [.greatestFiniteMagnitude, -.greatestFiniteMagnitude], [1, 1.0000000000000002], [-3],
        ]
        for numbers in hostile {
            for ticks in [
                AxisTicks(covering: numbers), AxisTicks(counting: numbers), AxisTicks(logarithmic: numbers),
            ] {
                #expect(ticks.range.lowerBound <= ticks.range.upperBound)
                #expect(ticks.values.count == ticks.labels.count && ticks.values.count < 200)
            }
        }
    }

    @Test func epochsAreWholeNumbers() {
        #expect(AxisTicks(counting: [1, 5]).labels == ["1", "2", "3", "4", "5"])
        #expect(AxisTicks(counting: [1]).labels == ["1"])
        #expect(AxisTicks(counting: [1, 40]).labels == ["1", "5", "10", "15", "20", "25", "30", "35", "40"])
    }

    @Test func ratesArePowersOfTen() {
        #expect(
            AxisTicks(logarithmic: [1e-6, 1e-1]).labels == ["1e-6", "1e-5", "1e-4", "1e-3", "1e-2", "1e-1"])
    }

    @Test func textIsEscapedAndNothingIsLoaded() {
        let series = Chart.Series(name: "a<b", role: .training, points: [Chart.Point(x: 1, y: 1)])
        let other = Chart.Series(name: "\"&\u{1}", role: .validation, points: [Chart.Point(x: 1, y: 2)])
        let panel = Chart.Panel(
            title: "loss", series: [series, other], horizontal: Chart.Axis(title: "epoch", scale: .counting))
        let svg = Chart(title: "<script>", panels: [panel]).svg
        #expect(svg.contains("&lt;script&gt;") && !svg.contains("<script"))
        #expect(svg.contains("a&lt;b") && svg.contains("&quot;&amp; "))
        #expect(!svg.contains("href") && !svg.contains("url("))
        #expect(svg.contains("prefers-color-scheme: dark"))
    }

    @Test func aPointThatIsNoNumberLeavesAGap() {
        let points = [1, 2, .nan, 4, 5].enumerated().map { Chart.Point(x: Double($0 + 1), y: $1) }
        let panel = Chart.Panel(
            title: "loss", series: [Chart.Series(name: "loss", role: .measured, points: points)],
            horizontal: Chart.Axis(title: "epoch", scale: .counting))
        let svg = Chart(title: "", panels: [panel]).svg
        #expect(svg.components(separatedBy: "<polyline").count == 3)
        #expect(!svg.contains("nan"))
    }
}
