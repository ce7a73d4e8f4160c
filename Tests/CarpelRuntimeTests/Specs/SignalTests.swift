import CarpelAPI
import CarpelImages
import Testing

@testable import CarpelRuntime

@Suite struct SignalTests {
    @Test(arguments: [
        ("SIGTERM", Int32?(15)), ("term", 15), ("SIGQUIT", 3), ("9", 9), ("64", 64), ("SIGRTMIN", 34),
        ("SIGRTMIN+3", 37),
        ("RTMAX", 64), ("SIGRTMAX-14", 50), ("SIGRTMIN+31", nil), ("SIGRTMAX+1", nil), ("SIGRTMIN+", nil), ("0", nil),
        ("65", nil), ("-1", nil), ("", nil), ("SIGNOTHING", nil), ("SIG", nil),
    ])
    func aSignalIsReadByNameOrNumber(text: String, number: Int32?) {
        #expect(signalNumber(text) == number)
    }

    @Test func everySignalOfCRIHasANumber() {
        for signal in CarpelAPI.Signal.allCases where signal != .SIGNAL_RUNTIME_DEFAULT {
            let config = ContainerConfig { $0.stopSignal = signal }
            let expectsTerm = signal == .SIGNAL_SIGTERM
            #expect((stopSignal(config, image: nil) == 15) == expectsTerm, "\(signal)")
        }
        let plus = ContainerConfig { $0.stopSignal = .SIGNAL_SIGRTMINPLUS15 }
        #expect(stopSignal(plus, image: nil) == 49)
        let minus = ContainerConfig { $0.stopSignal = .SIGNAL_SIGRTMAXMINUS14 }
        #expect(stopSignal(minus, image: nil) == 50)
    }

    @Test func crisSignalComesBeforeTheImagesAndSIGTERMIsLast() {
        let image = sampleImage { $0.stopSignal = "SIGQUIT" }
        let chosen = ContainerConfig { $0.stopSignal = .SIGNAL_SIGINT }
        #expect(stopSignal(chosen, image: image) == 2)
        #expect(stopSignal(ContainerConfig(), image: image) == 3)
        #expect(stopSignal(ContainerConfig(), image: nil) == 15)
        #expect(stopSignal(ContainerConfig(), image: sampleImage { $0.stopSignal = "nonsense" }) == 15)
    }
}
