import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import Logging
import Testing

extension AgentTests {
    @Suite(.serialized) struct Scratch {
        @Test func flaps() async throws {
            let machine = try await TestMachine.boot()
            try await machine.guest.call(.configure(TestMachine.configuration()))
            let spec = ContainerSpec.shell("exec sleep 1000", id: "c")
            try await machine.guest.start(spec)
            await machine.guest.close()
            var generator = Repeatable()
            for big in 0..<25 {
                for round in 0..<40 {
                    let raw = try machine.connectRaw()
                    for number in 0..<50 as Range<UInt32> {
                        switch round % 4 {
                        case 0: try raw.send((0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) })
                        case 1: try raw.send(Garbage.frame(&generator))
                        case 2:
                            try raw.send(Frame(.request, stream: number + 1, payload: try Garbage.request(&generator)))
                        default:
                            // Nonsense on streams that are open.
                            let exec = ExecSpec.shell("cat", in: "c", stdin: true)
                            try raw.send(
                                Frame(
                                    .request, stream: number + 1, payload: CBOREncoder().encode(GuestRequest.exec(exec))
                                ))
                            for _ in 0..<5 { try raw.send(Garbage.frame(&generator, stream: number + 1)) }
                        }
                    }
                }

                let spy = Task {
                    try await Task.sleep(for: .seconds(4))
                    let tree = try await machine.monitor.execute(
                        #"{"execute":"human-monitor-command","arguments":{"command-line":"info qtree"}}"#)
                    for line in tree.components(separatedBy: "\\r\\n") where line.contains("throttle") { print(line) }
                    print(
                        try await machine.monitor.execute(
                            #"{"execute":"human-monitor-command","arguments":{"command-line":"info chardev"}}"#))
                    for q in 0..<6 {
                        print(
                            try await machine.monitor.execute(
                                #"{"execute":"x-query-virtio-queue-status","arguments":{"path":"/machine/peripheral-anon/device[0]/virtio-backend","queue":\#(q)}}"#
                            ))
                    }
                }
                defer { spy.cancel() }
                do {
                    let g = try await GuestConnection.connect(
                        socketPath: machine.socket, timeout: .seconds(15), logger: Logger(label: "x"))
                    await g.close()
                    print("big", big, "fine")
                } catch {
                    print("big", big, "STUCK", error)
                    for _ in 0..<3 {
                        print(
                            try await machine.monitor.execute(
                                #"{"execute":"human-monitor-command","arguments":{"command-line":"info registers"}}"#
                            ).prefix(300))
                    }
                    let tree = try await machine.monitor.execute(
                        #"{"execute":"human-monitor-command","arguments":{"command-line":"info qtree"}}"#)
                    for line in tree.components(separatedBy: "\\r\\n") where line.contains("throttle") { print(line) }
                    print(
                        try await machine.monitor.execute(
                            #"{"execute":"human-monitor-command","arguments":{"command-line":"info chardev"}}"#))
                    print(machine.console)
                    let g = try await GuestConnection.connect(
                        socketPath: machine.socket, timeout: .seconds(4), logger: Logger(label: "x"))
                    await g.close()
                    print("   next attempt fine")
                    break
                }
            }
            try await machine.end()
        }
    }
}
