import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore

struct UpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Changes the limits of containers that run, or of a whole pod.",
        discussion: """
            What is not named stays as it is. A pod's machine grows if the limits need it, and never becomes smaller: \
            less is a limit inside it. A memory limit below what is in use is refused.

            Examples:
              carpel update --cpus 2 --memory 512Mi web
              carpel update --pids-limit 100 web/probe db
              carpel update --pod --memory 2Gi web
            """)

    @Flag(help: "The limits of pods as a whole: --cpus and --memory.")
    var pod = false

    @OptionGroup var limits: LimitOptions

    @Argument(
        help: ArgumentHelp("Containers or pods that have but one; pods with --pod.", valueName: "name-or-id"),
        completion: .podOrContainer)
    var targets: [String]

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        if pod && limits.hasMoreThanAPodTakes {
            throw ValidationError("a pod as a whole takes --cpus and --memory only")
        }
    }

    func run() async throws {
        let resources = try limits.resources()
        guard resources != LinuxContainerResources() else {
            throw CarpelError(.invalidArgument, "nothingToUpdate", "name a limit, such as --memory 512Mi")
        }
        let client = try await daemon.connect()
        let inventory = try await Inventory.load(from: client)
        try await forEach(targets) { name in
            if pod {
                try await client.update(try inventory.pod(name), resources)
            } else {
                try await client.update(try inventory.container(name), resources)
            }
            Console.out(name + "\n")
        }
    }
}

/// The limits that can be changed, in docker's words.
struct LimitOptions: ParsableArguments {
    private static let period: Int64 = 100_000

    @Option(help: ArgumentHelp("The processors that it may use, such as 0.5 or 2; 0 for no limit.", valueName: "count"))
    var cpus: Double?

    @Option(
        name: [.customLong("cpu-shares"), .customShort("c")],
        help: ArgumentHelp("Its share of the pod's CPUs, relative to other containers' 1024.", valueName: "number"))
    var cpuShares: Int64?

    @Option(
        name: .customLong("cpu-period"), help: ArgumentHelp("The period of --cpu-quota.", valueName: "microseconds"))
    var cpuPeriod: Int64?

    @Option(
        name: .customLong("cpu-quota"), parsing: .unconditional,
        help: ArgumentHelp("CPU time of each period; -1 for no limit.", valueName: "microseconds"))
    var cpuQuota: Int64?

    @Option(
        name: .customLong("cpuset-cpus"), help: ArgumentHelp("The pod's CPUs that it may use.", valueName: "0-2,4"))
    var cpuset: String?

    @Option(
        name: [.long, .customShort("m")],
        help: ArgumentHelp("The memory that it may use, such as 128Mi or 2Gi.", valueName: "quantity"))
    var memory: String?

    @Option(
        name: .customLong("pids-limit"), parsing: .unconditional,
        help: ArgumentHelp("The processes and threads that it may have; -1 for no limit.", valueName: "count"))
    var processes: Int64?

    func validate() throws {
        if cpus != nil && (cpuPeriod != nil || cpuQuota != nil) {
            throw ValidationError("--cpus is --cpu-quota and --cpu-period in one: choose")
        }
    }

    var hasMoreThanAPodTakes: Bool {
        cpuShares != nil || cpuPeriod != nil || cpuQuota != nil || cpuset != nil || processes != nil
    }

    /// - Throws: `CarpelError` with `.invalidArgument` for values that mean nothing.
    func resources() throws -> LinuxContainerResources {
        var resources = LinuxContainerResources()
        if let cpus {
            guard cpus == 0 || (0.01...1024).contains(cpus) else {
                throw invalid("--cpus", "\(cpus)", "0 or a number from 0.01 to 1024")
            }
            resources.cpuPeriod = Self.period
            resources.cpuQuota = cpus == 0 ? -1 : Int64((cpus * Double(Self.period)).rounded())
        }
        resources.cpuPeriod = cpuPeriod ?? resources.cpuPeriod
        resources.cpuQuota = cpuQuota ?? resources.cpuQuota
        resources.cpuShares = cpuShares ?? 0
        resources.cpusetCpus = cpuset ?? ""
        if let memory { resources.memoryLimitInBytes = try capacityBytes(memory, option: "--memory") }
        if let processes {
            guard processes == -1 || processes > 0 else {
                throw invalid("--pids-limit", "\(processes)", "-1 or a number above 0")
            }
            resources.unified["pids.max"] = processes == -1 ? "max" : "\(processes)"
        }
        return resources
    }
}

extension CarpelClient {
    fileprivate func update(_ container: ContainerItem, _ resources: LinuxContainerResources) async throws {
        let request = UpdateContainerResourcesRequest {
            $0.containerId = container.id
            $0.linux = resources
        }
        _ = try await call(Methods.updateContainerResources, request)
    }

    fileprivate func update(_ pod: PodSandboxItem, _ resources: LinuxContainerResources) async throws {
        let request = UpdatePodSandboxResourcesRequest {
            $0.podSandboxId = pod.id
            $0.resources = resources
        }
        _ = try await call(Methods.updatePodSandboxResources, request)
    }
}
