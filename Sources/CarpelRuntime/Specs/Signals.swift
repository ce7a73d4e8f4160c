import CarpelAPI
import CarpelImages

/// The signal that asks the container to stop: CRI's, else the image's, else SIGTERM.
/// An image's signal that means nothing counts as none, since nobody can repair an image at the time of a stop.
func stopSignal(_ config: ContainerConfig, image: ImageConfig?) -> Int32 {
    let sigterm: Int32 = 15
    guard config.stopSignal == .SIGNAL_RUNTIME_DEFAULT else {
        let name = config.stopSignal.rawValue.dropFirst("SIGNAL_".count)
        return signalNumber(name.replacing("PLUS", with: "+").replacing("MINUS", with: "-")) ?? sigterm
    }
    return image.flatMap { signalNumber($0.stopSignal) } ?? sigterm
}

/// Linux's numbers on amd64 and arm64. Source: signal(7).
private let signalNumbers: [String: Int32] = [
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "IOT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
    "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CLD": 17,
    "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26,
    "PROF": 27, "WINCH": 28, "IO": 29, "POLL": 29, "PWR": 30, "SYS": 31,
]

/// The C libraries keep the first two real-time signals (32, 33) for themselves: RTMIN is 34 to every program.
private let realTimeSignals: ClosedRange<Int32> = 34...64

/// `SIGTERM`, `term`, `15`, `SIGRTMIN+3`, `RTMAX-1`.
func signalNumber(_ text: some StringProtocol) -> Int32? {
    if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
    let upper = text.uppercased()
    let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
    if let number = signalNumbers[name] { return number }
    let bounds = [("RTMIN", realTimeSignals.lowerBound), ("RTMAX", realTimeSignals.upperBound)]
    for (bound, base) in bounds where name.hasPrefix(bound) {
        let offset = name.dropFirst(bound.count)
        guard let number = offset.isEmpty ? base : Int32(offset).map({ base + $0 }) else { return nil }
        return realTimeSignals.contains(number) ? number : nil
    }
    return nil
}
