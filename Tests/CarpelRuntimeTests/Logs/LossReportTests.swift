import Testing

@testable import CarpelRuntime

@Suite struct LossReportTests {
    private let start = ContinuousClock.now
    private let piece = LostOutput(records: 1, bytes: 10)

    @Test func theFirstLossIsToldAtOnceAndThoseOfAMinuteAreOne() {
        var report = LossReport()
        #expect(report.add(LostOutput(), at: start) == nil)
        #expect(report.due == nil)
        #expect(report.add(piece, at: start) == piece)
        #expect(report.due == nil)
        for second in 1...50 { #expect(report.add(piece, at: start + .seconds(second)) == nil) }
        #expect(report.due == start + .seconds(60))
        #expect(report.add(piece, at: start + .seconds(60)) == LostOutput(records: 51, bytes: 510))
        // The next minute begins with what was told.
        #expect(report.add(piece, at: start + .seconds(61)) == nil)
        #expect(report.due == start + .seconds(120))
    }

    @Test func theRestIsToldOnce() {
        var report = LossReport()
        #expect(report.takeRest(at: start) == nil)
        _ = report.add(piece, at: start)
        #expect(report.add(piece, at: start + .seconds(1)) == nil)
        #expect(report.takeRest(at: start + .seconds(2)) == piece)
        #expect(report.takeRest(at: start + .seconds(3)) == nil)
    }
}
