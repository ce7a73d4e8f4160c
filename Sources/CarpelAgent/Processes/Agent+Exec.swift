import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    func exec(_ spec: ExecSpec, on stream: HostStream) throws(GuestFailure) {
        let container = try container(spec.container)
        let target = try container.running()
        guard execs[spec.id] == nil else { throw GuestFailure(.alreadyExists, "exec \(spec.id) exists") }
        let user = spec.process.user.name.isEmpty ? container.spec.process.user : spec.process.user
        let identity = try UserDatabase(root: container.root.path).resolve(user)
        let plan = try ProcessPlan(spec.process, as: identity)
        plan.start(inPIDNamespace: try pidNamespace(of: target.pid))
        plan.steps.join(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWCGROUP, of: target.pidfd)
        plan.start(in: try container.cgroup.open())
        plan.setOOMScoreAdjustment(container.oomScoreAdjustment)
        let pipes = try plan.connect(stdin: spec.stdin)

        let exec = ExecProcess(id: spec.id, stream: stream, loop: loop) { [unowned self] in execs[$0.id] = nil }
        let killsBefore = container.cgroup.outOfMemoryKills
        _ = try LaunchedProcess(plan, loop: loop, table: processes) { [unowned self] process, result in
            switch result {
            case .success:
                exec.run(process, pipes: pipes)
            case .failure(let failure):
                execs[spec.id] = nil
                stream.finish(.failed(failure))
            }
        } exited: { code in
            // Its memory is the container's: a kill while it ran, and its own end by SIGKILL, is all there is to see.
            let killed = container.cgroup.outOfMemoryKills > killsBefore
            exec.exited(code, outOfMemory: killed && code == 128 + SIGKILL)
        }
        execs[spec.id] = exec
    }
}
