import CarpelCore
import CarpelGuestProtocol

@testable import CarpelRuntime

extension FuzzTarget {
    /// A container's output as the guest numbers it, to a log that is rotated and reopened meanwhile.
    static let guestOutput = FuzzTarget(name: "guest-output", maximumLength: 1024) {
        func record(_ sequence: UInt64, _ offset: UInt64, _ length: UInt8) -> [UInt8] {
            [1] + bytes(of: sequence) + bytes(of: offset) + [length]
        }
        let back = (0..<8).flatMap { record($0 * 2, $0 % 2 == 0 ? 0 : UInt64(Int64.max) - 1, 9) }
        return [
            record(0, 0, 5) + record(1, 5, 7) + [0] + record(5, 40, 200) + record(5, 40, 200), back,
            record(UInt64(Int64.max) - 1, UInt64(Int64.max) - 1, 255) + record(.max, .max, 1),
        ]
    } run: { bytes in
        let folder = try Scratch.make()
        defer { Scratch.remove() }
        let rotation = LogRotation(maximumSize: ByteCount(4096), maximumFiles: 2)
        let log = try ContainerLog(
            path: "\(folder)/log", notes: "\(folder)/notes",
            from: LogPlace(sequence: 0, offset: 0, lost: LostOutput()), rotation: rotation)
        var input = Input(bytes)
        while !input.isAtEnd {
            guard input.byte() != 0 else {
                try log.reopen()
                continue
            }
            let (sequence, offset) = (number(input.bytes(8)), number(input.bytes(8)))
            let text = [UInt8](repeating: 0x61, count: Int(input.byte()))
            let record = OutputRecord(sequence: sequence, channel: .stdout, time: 0, bytes: text, offset: offset)
            guard (try? record.checkNumbers()) != nil else { return }
            try log.append(record)
            let place = log.place
            for count in [place.sequence, place.lost.records, place.lost.bytes] {
                try Finding.require(count <= Int64.max, "a count of \(count)")
            }
        }
    }

    private static func bytes(of number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private static func number(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
