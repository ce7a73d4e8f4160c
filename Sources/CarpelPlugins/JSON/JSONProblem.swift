import CarpelCore

/// One thing that is wrong with a JSON value.
struct JSONProblem: Sendable, Equatable {
    /// `ranges[0].subnet`; empty for the whole.
    let path: String
    let line: Int?
    /// A clause: `must be a string, not a number`.
    let text: String

    /// `line 7: capabilities[1] must be …`
    func description(of whole: String) -> String {
        (line.map { "line \($0): " } ?? "") + "\(path.isEmpty ? whole : path) \(text)"
    }
}

extension [JSONProblem] {
    /// All of them in one error.
    func error(reason: String, in place: String, whole: String) -> CarpelError? {
        guard let first else { return nil }
        let texts = map { $0.description(of: whole) }
        return CarpelError(
            .invalidArgument, reason, "\(place): \(texts.joined(separator: "; "))",
            field: first.path.isEmpty ? nil : first.path)
    }
}

/// The candidate that differs from `word` by the fewest letters, if that is few.
func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
    let distances = candidates.map { ($0, editDistance(Array(word.lowercased()), Array($0.lowercased()))) }
    let most = word.count < 4 ? 1 : max(2, word.count / 3)
    return distances.min { $0.1 < $1.1 }.flatMap { $0.1 <= most ? $0.0 : nil }
}

/// `; did you mean capabilities?`, or nothing.
func suggestionText(for word: String, among candidates: some Sequence<String>) -> String {
    suggestion(for: word, among: candidates).map { "; did you mean \($0)?" } ?? ""
}

/// Levenshtein's: letters to insert, remove or exchange.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var row = Array(0...right.count)
    for (i, letter) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in right.enumerated() {
            let cost = letter == other ? diagonal : Swift.min(diagonal, row[j], row[j + 1]) + 1
            (diagonal, row[j + 1]) = (row[j + 1], cost)
        }
    }
    return row[right.count]
}
