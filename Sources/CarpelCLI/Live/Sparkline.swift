/// Numbers as a line of bars, the newest at the right.
enum Sparkline {
    private static let bars = Array("▁▂▃▄▅▆▇█")

    /// - Parameters:
    ///   - width: Columns; older values than fit are left out.
    ///   - floor: What a full bar stands for at the least, so that next to nothing looks like it.
    static func text(_ values: [Double], width: Int, floor: Double) -> String {
        let shown = values.suffix(width)
        let top = max(floor, shown.max() ?? 0)
        let drawn = shown.map { value in
            let part = top > 0 ? max(0, value) / top : 0
            return bars[min(bars.count - 1, Int(part * Double(bars.count)))]
        }
        return String(repeating: " ", count: max(0, width - drawn.count)) + String(drawn)
    }
}
