import CarpelAPI

/// The steps of a pod's start as bars below each other.
struct TimelineChart {
    let steps: [TimelineStep]
    /// Columns for the bars.
    var barWidth = 40
    /// Nanoseconds since 1970, to which a step that still runs is drawn.
    let now: Int64

    /// The chart's text, its last line end included.
    var text: String {
        guard let start = steps.map(\.startedAt).min(), let end = steps.map(end).max() else {
            return "the start has no steps yet\n"
        }
        var table = TextTable(.left("STEP"), .right("AT"), .right("TOOK"), .left(""))
        for step in steps.sorted(by: { $0.startedAt < $1.startedAt }) {
            table.add(
                TextTable.Cell(step.name), TextTable.Cell("+" + offset(step.startedAt - start)),
                TextTable.Cell(took(step)), TextTable.Cell(bar(step, from: start, to: end) + failure(step)))
        }
        return table.text + "total \(HumanText.duration(nanoseconds: end - start))\n"
    }

    private func end(_ step: TimelineStep) -> Int64 {
        step.durationNanoseconds.map { step.startedAt + $0 } ?? max(now, step.startedAt)
    }

    private func took(_ step: TimelineStep) -> String {
        step.durationNanoseconds.map { HumanText.duration(nanoseconds: $0) } ?? "running"
    }

    private func offset(_ nanoseconds: Int64) -> String {
        nanoseconds < 1_000_000 ? "0 ms" : HumanText.duration(nanoseconds: nanoseconds)
    }

    /// At least one character, at the place and of the length that the step has within the whole.
    private func bar(_ step: TimelineStep, from start: Int64, to end: Int64) -> String {
        let whole = max(1, Double(end - start))
        let column = { (time: Int64) in Int((Double(time - start) / whole * Double(barWidth)).rounded()) }
        let first = min(column(step.startedAt), barWidth - 1)
        let length = max(1, column(self.end(step)) - first)
        return String(repeating: " ", count: first) + String(repeating: step.failure == nil ? "█" : "▒", count: length)
    }

    private func failure(_ step: TimelineStep) -> String {
        step.failure.map { "  failed: \($0)" } ?? ""
    }
}
