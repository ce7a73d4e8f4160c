import Testing

@testable import CarpelRuntime

struct CPURatesTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func theFirstReadingHasNoRateAndTheNextOneCountsFromIt() {
        var rates = CPURates()
        #expect(rates.note("a", time: 10 * Self.second, usage: 5 * Self.second) == nil)
        #expect(rates.note("a", time: 12 * Self.second, usage: 6 * Self.second) == Self.second / 2)
        #expect(rates.note("b", time: 12 * Self.second, usage: 6 * Self.second) == nil)
    }

    /// Two who ask at once: the second one's window would be a few microseconds.
    @Test func aReadingThatFollowsAtOnceCountsFromTheOneBefore() {
        var rates = CPURates()
        _ = rates.note("a", time: 10 * Self.second, usage: 0)
        _ = rates.note("a", time: 20 * Self.second, usage: 10 * Self.second)
        #expect(rates.note("a", time: 20 * Self.second + 1000, usage: 10 * Self.second) == 999_999_900)
        #expect(rates.note("a", time: 22 * Self.second, usage: 10 * Self.second) == 0)
    }

    @Test func aCounterThatWentBackStartsAnew() {
        var rates = CPURates()
        _ = rates.note("a", time: 10 * Self.second, usage: 100)
        #expect(rates.note("a", time: 11 * Self.second, usage: 50) == nil)
        #expect(rates.note("a", time: 5 * Self.second, usage: 60) == nil)
        #expect(rates.note("a", time: 6 * Self.second, usage: 60) == 0)
        rates.keep(only: ["b"])
        #expect(rates.note("a", time: 7 * Self.second, usage: 60) == nil)
    }
}
