import CarpelAPI
import CarpelGuestProtocol

extension PodSandbox {
    /// Asks the guest who the containers run as, if one has been started since it was asked. The guest knows the image's
    /// users, and a user's numbers do not change; a guest that does not answer costs the caller no more than the answer.
    func learnUsers() async {
        guard case .ready(let running) = state,
            containers.values.contains(where: { $0.user == nil && $0.record.isRunning }),
            case .state(let guest)? = try? await running.guest.ask(.state, within: .seconds(2))
        else { return }
        for container in guest.containers { containers[container.id]?.user = container.user }
    }
}

extension Container {
    var status: ContainerStatus {
        var status = record.status
        status.user = user.map { user in
            ContainerUser {
                $0.linux = LinuxContainerUser {
                    $0.uid = Int64(user.uid)
                    $0.gid = Int64(user.gid)
                    $0.supplementalGroups = user.groups.map(Int64.init)
                }
            }
        }
        return status
    }
}
