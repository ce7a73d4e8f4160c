import Foundation

/// Colours, where they are wanted: on a terminal, unless NO_COLOR is set (https://no-color.org).
struct Style {
    let isColoured: Bool

    static let plain = Style(isColoured: false)

    static func of(
        _ descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Style {
        let refused = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
        return Style(isColoured: Console.isTerminal(descriptor) && !refused)
    }

    func green(_ text: String) -> String { coloured(text, 32) }
    func yellow(_ text: String) -> String { coloured(text, 33) }
    func red(_ text: String) -> String { coloured(text, 31) }
    func dim(_ text: String) -> String { coloured(text, 2) }

    private func coloured(_ text: String, _ code: Int) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
