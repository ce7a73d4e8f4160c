/// What `carpel top` shows.
struct TopScreen: Sendable {
    var history = UsageHistory()
    var order = UsageHistory.Order.cpu
    /// Without plots, and without the line that explains the keys.
    var isPlain = false

    /// - Parameters:
    ///   - columns: of the terminal; the plots get what the rest leaves.
    ///   - style: colours for the titles.
    func text(columns: Int, style: Style) -> String {
        let rows = history.sorted(by: order)
        let table = table(rows, plotWidth: plotWidth(rows, columns: columns))
        guard !isPlain else { return table }
        let pods = rows.filter(\.podID.isEmpty)
        let cores = pods.reduce(0) { $0 + $1.cores }
        let bytes = pods.reduce(0) { $0 + $1.bytes }
        let head =
            "\(pods.count) pods, \(rows.count - pods.count) containers, "
            + "\(Self.percent(cores)) CPU, \(HumanText.size(bytes))"
        let keys = "q quit   c by CPU   m by memory"
        return "\(head)\n\(style.dim(keys))\n\n\(table)"
    }

    private static let plotTitle = "LAST MINUTE"

    private func plotWidth(_ rows: [UsageHistory.Row], columns: Int) -> Int {
        guard !isPlain else { return 0 }
        let bare = table(rows, plotWidth: 0).split(separator: "\n").map(\.count).max() ?? 0
        // Two plots, each two columns apart from what is before it, or none where their titles do not fit.
        let room = (columns - bare - 4) / 2
        return room < Self.plotTitle.count ? 0 : min(UsageHistory.length, room)
    }

    private func table(_ rows: [UsageHistory.Row], plotWidth: Int) -> String {
        var table = TextTable(
            plotWidth == 0
                ? [.left("NAME"), .right("CPU"), .right("MEMORY"), .right("LIMIT"), .right("OVERHEAD")]
                : [
                    .left("NAME"), .right("CPU"), .left(Self.plotTitle), .right("MEMORY"), .left(Self.plotTitle),
                    .right("LIMIT"), .right("OVERHEAD"),
                ])
        for row in rows {
            let name = TextTable.Cell(row.podID.isEmpty ? row.name : "  " + row.name)
            let cpu = TextTable.Cell(Self.percent(row.cores))
            let memory = TextTable.Cell(HumanText.size(row.bytes))
            let limit = TextTable.Cell(row.limit.map { HumanText.size($0) } ?? "")
            let overhead = TextTable.Cell(row.overhead.map { HumanText.size($0) } ?? "")
            if plotWidth == 0 {
                table.add(name, cpu, memory, limit, overhead)
            } else {
                let cpuPlot = Sparkline.text(row.cpu, width: plotWidth, floor: 0.1)
                let memoryPlot = Sparkline.text(row.memory, width: plotWidth, floor: 1_048_576)
                table.add(
                    name, cpu, TextTable.Cell(cpuPlot), memory, TextTable.Cell(memoryPlot), limit, overhead)
            }
        }
        return table.text
    }

    /// Of one core: `12.3%`.
    static func percent(_ cores: Double) -> String {
        let tenths = Int((cores * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10)%"
    }
}
