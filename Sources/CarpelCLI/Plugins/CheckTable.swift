import CarpelPlugins

/// The results of a plugin's checks, a row at a time.
struct CheckTable {
    private let width: Int
    private let style: Style

    init(names: [String], style: Style) {
        width = (names + ["CHECK"]).map(\.count).max() ?? 0
        self.style = style
    }

    var title: String { line("CHECK", "OUTCOME", "TOOK", "DETAIL") }

    func row(_ result: CheckResult) -> String {
        let took = HumanText.duration(nanoseconds: result.durationNanoseconds)
        return line(
            result.name, result.outcome.rawValue, took, result.detail.replacing("\n", with: " "), paint(result.outcome))
    }

    /// How many there are of each, and what those that failed wanted.
    func summary(_ results: [CheckResult]) -> String {
        func count(_ outcome: CheckResult.Outcome) -> Int { results.count { $0.outcome == outcome } }
        let took = HumanText.duration(nanoseconds: results.map(\.durationNanoseconds).reduce(0, +))
        let failures = results.filter { $0.outcome == .failed }.map { "  \($0.name): \($0.claim)\n" }
        return "\n\(count(.passed)) passed, \(count(.failed)) failed, \(count(.skipped)) skipped in \(took)\n"
            + (failures.isEmpty ? "" : "\nWhat a plugin must do, and this one did not:\n" + failures.joined())
    }

    private func line(
        _ name: String, _ outcome: String, _ took: String, _ detail: String, _ paint: (String) -> String = { $0 }
    ) -> String {
        let columns = [
            name + spaces(width - name.count), paint(outcome) + spaces(7 - outcome.count),
            spaces(7 - took.count) + took,
            detail,
        ]
        return String(columns.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
    }

    private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    private func paint(_ outcome: CheckResult.Outcome) -> (String) -> String {
        switch outcome {
        case .passed: style.green
        case .failed: style.red
        case .skipped: style.yellow
        }
    }
}
