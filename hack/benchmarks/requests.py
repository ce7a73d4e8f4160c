"""How many requests a second the socket answers, and how long each takes, beside containerd's CRI socket."""

import contextlib
import json
import os
import selectors
import socket
import subprocess
import time

import table

SECONDS = 2
CLIENTS = (1, 16, 64)
CONTAINERS = 100


def measure(daemon, options):
    with daemon.pod("requests") as pod:
        for index in range(CONTAINERS):
            pod.create_container(options.image, f"sleep-{index}")
        wants = {
            "Version": {},
            "PodSandboxStatus": {"podSandboxId": pod.id},
            f"ListContainers ({CONTAINERS} containers)": {},
        }
        figures = {
            (name, clients): load(options.socket, name.split()[0], params, clients)
            for name, params in wants.items() for clients in CLIENTS
        }
    for (name, clients), latencies in figures.items():
        show(f"{name}, clients: {clients}", latencies)
    with containerd(options.folder) as address:
        for clients in CLIENTS:
            peer = load_containerd(address, options.folder, clients)
            show(f"  containerd's Version over gRPC, clients: {clients}", peer)
            ratio = rate(figures["Version", clients]) / rate(peer)
            table.row("  ratio, Carpel's by the peer's", [ratio], "x", digits=2)


def show(name, latencies):
    ordered = sorted(latencies)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
    table.row(name, [rate(latencies)], "requests/s", f"  p50 {p50:.2f} ms, p99 {p99:.2f} ms", digits=0)


def rate(latencies):
    return len(latencies) / SECONDS


def load(path, method, params, clients):
    """The seconds that each request took while `clients` connections asked one after the other for SECONDS."""
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n"
    latencies = []
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        started = {}
        for _ in range(clients):
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(path)
            selector.register(connection, selectors.EVENT_READ)
            started[connection] = time.monotonic()
            connection.sendall(request)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for key, _ in selector.select(deadline - time.monotonic()):
                connection = key.fileobj
                answer = connection.recv(1 << 20)
                if not answer.endswith(b"\n"):
                    continue
                if b'"error"' in answer[:200]:
                    raise RuntimeError(f"{method}: {answer[:200]}")
                now = time.monotonic()
                latencies.append(now - started[connection])
                started[connection] = now
                connection.sendall(request)
    return latencies


@contextlib.contextmanager
def containerd(folder):
    """A containerd of its own; gives its socket."""
    home = f"{folder}/containerd"
    address = f"{home}/containerd.sock"
    os.mkdir(home)
    with open(f"{home}/config.toml", "w") as file:
        file.write(f'version = 2\nroot = "{home}/root"\nstate = "{home}/state"\n[grpc]\n  address = "{address}"\n')
    with open(f"{home}/log", "w") as log:
        process = subprocess.Popen(["containerd", "--config", f"{home}/config.toml"], stdout=log, stderr=log)
    try:
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def wait_for(address, process):
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("containerd has ended")
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(address)
            return
        time.sleep(0.1)
    raise RuntimeError("containerd does not answer")


def load_containerd(address, folder, clients):
    """As `load`, of an empty VersionRequest in gRPC's framing, by h2load."""
    with open(f"{folder}/version-request", "wb") as file:
        file.write(bytes(5))
    log = f"{folder}/h2load-{clients}.log"
    subprocess.run(
        [
            "h2load", f"--duration={SECONDS}", "--clients", str(clients), "--max-concurrent-streams=1",
            f"--base-uri=unix:{address}", f"--data={folder}/version-request", f"--log-file={log}",
            "--header=content-type: application/grpc", "--header=te: trailers",
            "http://localhost/runtime.v1.RuntimeService/Version",
        ], check=True, stdout=subprocess.DEVNULL)
    with open(log) as file:
        durations = [int(line.split()[2]) / 1e6 for line in file if line.split()[1] == "200"]
    if not durations:
        raise RuntimeError("containerd answered nothing")
    return durations
