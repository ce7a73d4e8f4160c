/// A table for people: a line of titles, a line for each row, columns two spaces apart.
struct TextTable {
    struct Column {
        let title: String
        var isRightAligned = false

        static func left(_ title: String) -> Column { Column(title: title) }
        static func right(_ title: String) -> Column { Column(title: title, isRightAligned: true) }
    }

    /// A cell and the colour that is put around it once it has been laid out.
    struct Cell: ExpressibleByStringInterpolation {
        let text: String
        let paint: (String) -> String

        init(_ text: String, paint: @escaping (String) -> String = { $0 }) {
            self.text = text.replacing("\n", with: " ")
            self.paint = paint
        }

        init(stringLiteral value: String) { self.init(value) }
    }

    let columns: [Column]
    var rows: [[Cell]] = []

    init(_ columns: Column...) { self.columns = columns }
    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: Cell...) { rows.append(cells) }

    /// The table's text, its last line end included.
    var text: String {
        let titles = columns.map { Cell($0.title) }
        let widths = columns.indices.map { column in
            ([titles] + rows).map { $0[column].text.count }.max() ?? 0
        }
        return ([titles] + rows).map { line($0, widths) + "\n" }.joined()
    }

    private func line(_ cells: [Cell], _ widths: [Int]) -> String {
        let padded = zip(cells, columns).enumerated().map { index, pair in
            let (cell, column) = pair
            let space = String(repeating: " ", count: widths[index] - cell.text.count)
            if column.isRightAligned { return space + cell.paint(cell.text) }
            return cell.paint(cell.text) + (index == cells.count - 1 ? "" : space)
        }
        let line = padded.joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
}
