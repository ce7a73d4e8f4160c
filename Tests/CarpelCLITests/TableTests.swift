import CarpelAPI
import Foundation
import Testing

@testable import CarpelCLI

struct TableTests {
    @Test func imagesHaveARowForEachNameAndAPortIsNoTag() {
        let images = [
            ImageItem {
                $0.id = "sha256:0123456789abcdef"
                $0.size = 1_048_576
                $0.repoTags = ["127.0.0.1:5000/web:2", "127.0.0.1:5000/web:1"]
            },
            ImageItem {
                $0.id = "sha256:fedcba9876543210"
                $0.repoDigests = ["docker.io/library/db@sha256:00"]
            },
        ]
        #expect(
            ImageListCommand.table(images) == """
                IMAGE                 TAG     IMAGE ID          SIZE
                127.0.0.1:5000/web    1       0123456789abc  1.0 MiB
                127.0.0.1:5000/web    2       0123456789abc  1.0 MiB
                docker.io/library/db  <none>  fedcba9876543      0 B

                """)
    }

    @Test func theDoctorListsWhatToDoBelowTheTable() {
        let checks = [
            DoctorCheck {
                $0.name = "kvm"
                $0.outcome = .FAILED
                $0.finding = "no /dev/kvm"
                $0.fix = "load the module kvm"
            },
            DoctorCheck {
                $0.name = "disk"
                $0.finding = "20 GiB free"
            },
        ]
        #expect(
            DoctorCommand.report(checks, style: .plain) == """
                CHECK  OUTCOME  FINDING
                kvm    failed   no /dev/kvm
                disk   passed   20 GiB free

                To do:
                  kvm: load the module kvm

                """)
    }

    @Test func containersShowTheImageThatWasTypedAndTheirPod() {
        let container = ContainerItem {
            $0.id = "0123456789abcdef"
            $0.podSandboxId = "fedcba9876543210"
            $0.state = .CONTAINER_RUNNING
            $0.metadata = ContainerMetadata { $0.name = "probe" }
            $0.image = ImageSpec {
                $0.image = "sha256:0123"
                $0.userSpecifiedImage = "busybox"
            }
        }
        let pod = PodSandboxItem {
            $0.id = "fedcba9876543210"
            $0.metadata = PodSandboxMetadata { $0.name = "web" }
        }
        let inventory = Inventory(pods: [pod], containers: [container])
        #expect(
            PsCommand.table([container], inventory) == """
                CONTAINER      IMAGE    STATE    AGE  NAME   POD ID         POD
                0123456789abc  busybox  running       probe  fedcba9876543  web

                """)
        #expect(
            PodsCommand.table([pod], inventory) == """
                POD ID         NAMESPACE  NAME  STATE  AGE  RUNNING
                fedcba9876543             web   ready           1/1

                """)
    }
}
