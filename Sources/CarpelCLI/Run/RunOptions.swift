import ArgumentParser

enum PullPolicy: String, ExpressibleByArgument, CaseIterable {
    case always, missing, never
}

/// What `carpel run` takes before the image.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The pod's and the container's name; made up from the image's without it."))
    var name: String?

    @Option(help: ArgumentHelp("The pod's namespace."))
    var namespace: String?

    @Option(
        help: ArgumentHelp("Add the container to this pod: a name or an id.", valueName: "pod"), completion: .pod)
    var pod: String?

    @Option(help: ArgumentHelp("The pod's host name; made from its name without it.", valueName: "name"))
    var hostname: String?

    @Option(
        name: [.long, .customShort("l")],
        help: ArgumentHelp("A label of the pod and the container; repeatable.", valueName: "key=value"))
    var label: [String] = []

    @Option(
        name: [.long, .customShort("e")],
        help: ArgumentHelp(
            "A variable of the environment, or the name of one of yours; repeatable.", valueName: "key=value"))
    var env: [String] = []

    @Option(
        name: [.long, .customShort("u")], help: ArgumentHelp("Who runs the command.", valueName: "uid[:gid]|name"))
    var user: String?

    @Option(name: [.long, .customShort("w")], help: ArgumentHelp("Where the command runs.", valueName: "folder"))
    var workdir: String?

    @Option(help: ArgumentHelp("Replaces the image's entrypoint.", valueName: "path"))
    var entrypoint: String?

    @Option(
        help: ArgumentHelp(
            "The processors that it may use, such as 0.5 or 2; all of the machine's without it.", valueName: "count"))
    var cpus: Double?

    @Option(
        name: [.long, .customShort("m")],
        help: ArgumentHelp(
            "The memory that it may use, such as 128Mi or 2Gi; all of the machine's, by default 128Mi, without it.",
            valueName: "quantity"))
    var memory: String?

    @Option(
        name: [.long, .customShort("v")],
        help: ArgumentHelp(
            "What to mount: a path of the node, which begins with / or a dot, or the name of a volume; repeatable.",
            discussion: "A volume that is only mounted with :ro may be in several pods at once.",
            valueName: "source:target[:ro]"))
    var volume: [String] = []

    @Option(
        help: ArgumentHelp(
            "The same in docker's words; repeatable.", valueName: "type=bind|volume|tmpfs,source=…,target=…,readonly"))
    var mount: [String] = []

    @Option(
        help: ArgumentHelp("Where to mount memory of the pod; repeatable.", valueName: "target[:size=quantity]"))
    var tmpfs: [String] = []

    @Option(
        name: [.long, .customShort("p")],
        help: ArgumentHelp(
            "A port of the node that goes to one of the pod, such as 8080:80 or 127.0.0.1:53:53/udp; repeatable.",
            valueName: "[address:]port:port[/protocol]"))
    var publish: [String] = []

    @Option(
        help: ArgumentHelp(
            "A network of the pod; the first is its own, more are repeated; `default` without it.", valueName: "name"))
    var network: [String] = []

    @Option(
        name: .customLong("ip"),
        help: ArgumentHelp("An address that the pod must get on its first network; repeatable.", valueName: "address"))
    var addresses: [String] = []

    @Flag(name: .customLong("read-only"), help: "The container's root cannot be written.")
    var readOnly = false

    @Flag(help: "All capabilities and devices of the virtual machine; the node stays out of reach.")
    var privileged = false

    @Option(
        name: .customLong("cap-add"), help: ArgumentHelp("A capability to add; repeatable.", valueName: "capability"))
    var addedCapabilities: [String] = []

    @Option(
        name: .customLong("cap-drop"), help: ArgumentHelp("A capability to drop; repeatable.", valueName: "capability"))
    var droppedCapabilities: [String] = []

    @Option(help: ArgumentHelp("When to pull the image.", valueName: "when"))
    var pull = PullPolicy.missing

    @Flag(name: .shortAndLong, help: "Print no progress of a pull.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Hand this command's stdin to the container.")
    var interactive = false

    @Flag(name: .shortAndLong, help: "Give the container a terminal.")
    var tty = false

    @Option(help: ArgumentHelp("The keys that leave the container running; \"\" for none.", valueName: "keys"))
    var detachKeys = DetachKeys.standard

    @Flag(name: .shortAndLong, help: "Leave it running and print its id.")
    var detach = false

    @Flag(name: .customLong("rm"), help: "Remove it when the command has exited.")
    var removeAtExit = false

    /// This terminal is at the container's own from its start, in place of a look at its log.
    var attaches: Bool { (interactive || tty) && !detach }

    func validate() throws {
        if detach && removeAtExit {
            throw ValidationError("--rm waits for the command's exit, --detach does not: choose one")
        }
        if pod != nil && (hostname != nil || namespace != nil) {
            throw ValidationError("--hostname and --namespace are the pod's: they cannot be given with --pod")
        }
        if pod != nil && !(publish.isEmpty && network.isEmpty && addresses.isEmpty) {
            throw ValidationError("--publish, --network and --ip are the pod's: they cannot be given with --pod")
        }
    }
}
