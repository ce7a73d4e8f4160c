import CarpelAPI
import Testing

@testable import CarpelCLI

struct TimelineChartTests {
    private static let millisecond: Int64 = 1_000_000

    @Test func stepsAreBarsAtTheirPlaceInTheWhole() {
        let steps = [
            TimelineStep(
                name: "machine", startedAt: 200 * Self.millisecond, durationNanoseconds: 500 * Self.millisecond),
            TimelineStep(name: "disks", startedAt: 100 * Self.millisecond, durationNanoseconds: 100 * Self.millisecond),
            TimelineStep(name: "agent", startedAt: 700 * Self.millisecond, durationNanoseconds: 400 * Self.millisecond),
        ]
        #expect(
            TimelineChart(steps: steps, barWidth: 10, now: 0).text
                == """
                STEP          AT    TOOK
                disks      +0 ms  100 ms  █
                machine  +100 ms  500 ms   █████
                agent    +600 ms  400 ms        ████
                total 1.00 s

                """)
    }

    @Test func aStepThatFailedSaysWhy() {
        let steps = [
            TimelineStep(name: "boot", startedAt: 0, durationNanoseconds: Self.millisecond, failure: "no kernel")
        ]
        #expect(TimelineChart(steps: steps, barWidth: 4, now: 0).text.contains("1 ms  ▒▒▒▒  failed: no kernel"))
    }

    @Test func aStepThatStillRunsIsDrawnToNow() {
        let steps = [TimelineStep(name: "boot", startedAt: 0)]
        let text = TimelineChart(steps: steps, barWidth: 4, now: 3000 * Self.millisecond).text
        #expect(text.contains("running  ████"))
        #expect(text.contains("total 3.00 s"))
    }

    @Test func theShortestStepIsVisible() {
        let steps = [
            TimelineStep(name: "long", startedAt: 0, durationNanoseconds: 1000 * Self.millisecond),
            TimelineStep(name: "last", startedAt: 1000 * Self.millisecond, durationNanoseconds: 1),
        ]
        let lines = TimelineChart(steps: steps, barWidth: 10, now: 0).text.split(separator: "\n")
        #expect(lines[2].hasSuffix("           █"))
        #expect(lines[2].filter { $0 == "█" }.count == 1)
    }

    @Test func aStartWithoutStepsSaysSo() {
        #expect(TimelineChart(steps: [], now: 0).text == "the start has no steps yet\n")
    }
}
