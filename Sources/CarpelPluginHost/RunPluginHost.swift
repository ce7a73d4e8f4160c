import CCapability
import Glibc

/// The whole of `carpel-plugin-host`: standard input is the socket to the daemon, standard error the plugin's log.
///
/// The first message says who to become and what to load; the answer is `{"result": {"abiVersion": 1}}`, the plugin's
/// own `{"error": …}`, or a JSON-RPC error. Then calls are served until the daemon closes the socket.
public func runPluginHost() -> Never {
    let socket = HostSocket(takeSocket())
    calmSignals()
    // `print` is for the log too, and a line at a time.
    dup2(STDERR_FILENO, STDOUT_FILENO)
    carpel_write_output_by_lines()
    var buffer = HostSocket.Buffer()
    guard case .line(let line) = socket.next(&buffer, until: nil),
        case .start(let id, let request) = try? HostMessage(line: line)
    else {
        endProcess(64, "this program is started by carpeld, which tells it what to do over a socket")
    }
    guard let plugin = start(request, id: id, socket) else { endProcess(0, nil) }
    PluginHost(socket: socket, buffer: buffer, plugin: plugin).serve()
}

/// Moves the socket to where the programs that a plugin starts do not inherit it.
private func takeSocket() -> Int32 {
    let socket = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
    let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    dup2(nothing, STDIN_FILENO)
    close(nothing)
    return socket
}

private func calmSignals() {
    var none = sigset_t()
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, nil)
    // The log may be gone before the last call has ended. A handler, since what is ignored stays so in the programs that
    // a plugin starts.
    signal(SIGPIPE) { _ in }
}

/// - Returns: nil if there is nothing to serve, which the daemon has been told.
private func start(_ request: StartRequest, id: Int64, _ socket: HostSocket) -> LoadedPlugin? {
    do {
        try confine(request)
        let plugin = try LoadedPlugin(request)
        socket.answer(id, result: Array("{\"result\":{\"abiVersion\":\(plugin.abiVersion)}}".utf8))
        return plugin
    } catch let failure as LoadedPlugin.CreationFailure {
        socket.answer(id, result: failure.answer)
    } catch let failure as HostFailure {
        socket.answer(id, error: failure)
    } catch {
        socket.answer(id, error: HostFailure(.internal, "unexpected", "\(error)"))
    }
    return nil
}
