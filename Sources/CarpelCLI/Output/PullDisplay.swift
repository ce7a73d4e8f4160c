import CarpelAPI
import CarpelClient
import Foundation

/// Shows how far a pull is, on stderr.
struct PullDisplay {
    enum Mode {
        /// A bar for each layer, redrawn in place.
        case bars(width: Int)
        /// A line when a layer is done.
        case lines
        case quiet
    }

    private let mode: Mode
    private let style: Style
    private var drawnLines = 0
    private var finishedLayers: Set<String> = []

    init(mode: Mode, style: Style) {
        self.mode = mode
        self.style = style
    }

    /// What suits stderr.
    static func onStandardError(quiet: Bool) -> PullDisplay {
        let isTerminal = Console.isTerminal(STDERR_FILENO)
        let mode: Mode = isTerminal ? .bars(width: Console.width(of: STDERR_FILENO)) : .lines
        return PullDisplay(mode: quiet ? .quiet : mode, style: .of(STDERR_FILENO))
    }

    /// What to write now that the pull has come to `progress`.
    mutating func update(_ progress: PullProgressNotification) -> String {
        switch mode {
        case .quiet:
            return ""
        case .lines:
            let done = progress.layers.filter { $0.phase == "done" && !finishedLayers.contains($0.digest) }
            finishedLayers.formUnion(done.map(\.digest))
            return done.map { "\(HumanText.shortID($0.digest))  done  \(HumanText.size($0.bytesTotal))\n" }.joined()
        case .bars(let width):
            let up = drawnLines == 0 ? "" : "\u{1B}[\(drawnLines)A"
            drawnLines = progress.layers.count
            return up + progress.layers.map { "\u{1B}[2K\(bar($0, width: width))\n" }.joined()
        }
    }

    private func bar(_ layer: LayerProgress, width: Int) -> String {
        let phase = layer.phase.padding(toLength: 11, withPad: " ", startingAt: 0)
        let amount =
            layer.phase == "done"
            ? HumanText.size(layer.bytesTotal)
            : "\(HumanText.size(layer.bytesDone)) / \(HumanText.size(layer.bytesTotal))"
        let columns = min(40, width - 13 - phase.count - 24 - 6)
        guard columns >= 5 else { return "\(HumanText.shortID(layer.digest))  \(layer.phase)" }
        let isDone = layer.phase == "done" || layer.phase == "unpacking"
        let part = isDone ? 1 : Double(layer.bytesDone) / Double(max(1, layer.bytesTotal))
        let filled = min(columns, Int(part * Double(columns)))
        let drawn = String(repeating: "━", count: filled)
        let rest = String(repeating: "─", count: columns - filled)
        return "\(HumanText.shortID(layer.digest))  \(phase)  \(style.green(drawn))\(style.dim(rest))  \(amount)"
    }
}

extension CarpelClient {
    /// Pulls an image and shows how far it is.
    ///
    /// - Returns: the image's id.
    func pull(_ request: PullImageRequest, quiet: Bool) async throws -> String {
        var request = request
        request.progress = !quiet
        let name = request.image?.image ?? ""
        let progress = pullProgress()
        if !quiet { Console.err("Pulling \(name)\n") }
        let display = Task {
            var display = PullDisplay.onStandardError(quiet: quiet)
            for await state in progress where state.image == name { Console.err(display.update(state)) }
        }
        do {
            let image = try await call(Methods.pullImage, request).imageRef
            await display.drained()
            return image
        } catch {
            await display.drained()
            throw error
        }
    }
}

extension Task where Success == Void, Failure == Never {
    /// Ends the reading of a stream, after what has already come.
    fileprivate func drained() async {
        cancel()
        await value
    }
}
