import CarpelAPI
import Testing

@testable import CarpelCLI

struct PullDisplayTests {
    private func progress(_ layers: (String, UInt64)...) -> PullProgressNotification {
        PullProgressNotification {
            $0.layers = layers.enumerated().map { index, layer in
                LayerProgress {
                    $0.digest = "sha256:\(index)123456789abcdef"
                    $0.phase = layer.0
                    $0.bytesDone = layer.1
                    $0.bytesTotal = 2048
                }
            }
        }
    }

    @Test func withoutATerminalALayerIsALineOnceItIsDone() {
        var display = PullDisplay(mode: .lines, style: .plain)
        #expect(display.update(progress(("downloading", 1), ("waiting", 0))) == "")
        #expect(display.update(progress(("done", 2048), ("waiting", 0))) == "0123456789abc  done  2.0 KiB\n")
        #expect(display.update(progress(("done", 2048), ("done", 2048))) == "1123456789abc  done  2.0 KiB\n")
    }

    @Test func onATerminalTheBarsAreRedrawnInPlace() {
        var display = PullDisplay(mode: .bars(width: 64), style: .plain)
        let first = display.update(progress(("downloading", 1024), ("waiting", 0)))
        #expect(
            first == "\u{1B}[2K0123456789abc  downloading  ━━━━━─────  1.0 KiB / 2.0 KiB\n"
                + "\u{1B}[2K1123456789abc  waiting      ──────────  0 B / 2.0 KiB\n")
        #expect(
            display.update(progress(("done", 2048), ("waiting", 0))).hasPrefix("\u{1B}[2A\u{1B}[2K0123456789abc  done ")
        )
    }

    @Test func aNarrowTerminalGetsNoBars() {
        var display = PullDisplay(mode: .bars(width: 30), style: .plain)
        #expect(display.update(progress(("downloading", 1))) == "\u{1B}[2K0123456789abc  downloading\n")
    }

    @Test func quietWritesNothing() {
        var display = PullDisplay(mode: .quiet, style: .plain)
        #expect(display.update(progress(("done", 2048))) == "")
    }
}
