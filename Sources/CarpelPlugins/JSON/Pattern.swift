import Foundation
import Synchronization

/// A regular expression of a schema, which is a plugin's own: some take exponential time, `^(a+)+$` among them.
struct Pattern: Sendable {
    /// How long a text is compared.
    private static let timeout = Duration.milliseconds(250)

    let text: String
    private let expression: NSRegularExpression

    /// Nil if it is none.
    init?(_ text: String) {
        guard let expression = try? NSRegularExpression(pattern: text) else { return nil }
        self.text = text
        self.expression = expression
    }

    /// Whether it matches somewhere in `string`; nil if that takes too long to tell.
    func match(_ string: String) -> Bool? {
        let deadline = ContinuousClock.now + Self.timeout
        let answer = Mutex<Bool?>(false)
        expression.enumerateMatches(
            in: string, options: .reportProgress, range: NSRange(string.startIndex..., in: string)
        ) { match, flags, stop in
            if match != nil {
                answer.withLock { $0 = true }
            } else if flags.contains(.internalError) || ContinuousClock.now > deadline {
                answer.withLock { $0 = nil }
            } else {
                return
            }
            stop.pointee = true
        }
        return answer.withLock { $0 }
    }
}
