// hack/fuzz's program: the targets under libFuzzer.
//
//     carpel-fuzz targets                        the targets' names
//     carpel-fuzz seeds TARGET FOLDER            writes the target's seeds
//     carpel-fuzz run TARGET [libFuzzer's options and files]

import Foundation
import Synchronization

private let target = Mutex<FuzzTarget?>(nil)

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

private func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("carpel-fuzz: \(message)\n".utf8))
    exit(64)
}

private func named(_ name: String) -> FuzzTarget {
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fail("there is no target \(name): \(FuzzTarget.all.map(\.name).joined(separator: " "))")
    }
    return target
}

private func run(_ chosen: FuzzTarget) -> Int32 {
    target.withLock { $0 = chosen }
    // libFuzzer's own arguments begin with the program's name.
    var count = CommandLine.argc - 2
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 2
    return runDriver(&count, &arguments) { bytes, length in
        guard let target = target.withLock({ $0 }) else { return -1 }
        do { try target.run(Array(UnsafeBufferPointer(start: bytes, count: length))) } catch {
            fatalError("\(error)")
        }
        return 0
    }
}

let arguments = CommandLine.arguments.dropFirst()
switch (arguments.first, arguments.count) {
case ("targets", 1):
    for target in FuzzTarget.all { print(target.name, target.maximumLength) }
case ("seeds", 3):
    for (index, seed) in try named(arguments[2]).seeds().enumerated() {
        try Data(seed).write(to: URL(filePath: "\(arguments[3])/seed-\(index)"))
    }
case ("run", 2...):
    exit(run(named(arguments[2])))
default:
    fail("usage: carpel-fuzz targets | seeds TARGET FOLDER | run TARGET [OPTION...] [FILE...]")
}
