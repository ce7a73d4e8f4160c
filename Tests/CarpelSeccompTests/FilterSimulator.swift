/// Runs a classic BPF program as the kernel would, for architectures that the test's machine is not.
/// Only the instructions that filters of syscalls consist of. Source: linux/bpf_common.h.
struct FilterSimulator {
    private let program: [(code: UInt16, jumpIfTrue: Int, jumpIfFalse: Int, value: UInt32)]

    init(_ bytes: [UInt8]) {
        program = stride(from: 0, to: bytes.count, by: 8).map { start in
            func number(_ offsets: Range<Int>) -> UInt32 {
                offsets.reversed().reduce(0) { $0 << 8 | UInt32(bytes[start + $1]) }
            }
            return (UInt16(number(0..<2)), Int(bytes[start + 2]), Int(bytes[start + 3]), number(4..<8))
        }
    }

    /// The action for a syscall, or nil if the program holds an instruction that is not known here.
    func action(architecture: UInt32, number: Int32, arguments: [UInt64] = []) -> UInt32? {
        var data: [UInt32] = [UInt32(bitPattern: number), architecture, 0, 0]
        for index in 0..<6 {
            let argument = index < arguments.count ? arguments[index] : 0
            data += [UInt32(truncatingIfNeeded: argument), UInt32(truncatingIfNeeded: argument >> 32)]
        }
        var (counter, accumulator) = (0, UInt32(0))
        while counter < program.count {
            let step = program[counter]
            counter += 1
            let isTrue: Bool
            switch step.code {
            case 0x06: return step.value
            case 0x20:
                accumulator = data[Int(step.value) / 4]
                continue
            case 0x54:
                accumulator &= step.value
                continue
            case 0x05:
                counter += Int(step.value)
                continue
            case 0x15: isTrue = accumulator == step.value
            case 0x25: isTrue = accumulator > step.value
            case 0x35: isTrue = accumulator >= step.value
            case 0x45: isTrue = accumulator & step.value != 0
            default: return nil
            }
            counter += isTrue ? step.jumpIfTrue : step.jumpIfFalse
        }
        return nil
    }
}
