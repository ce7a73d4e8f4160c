"""Measures a running carpeld beside plain QEMU; hack/bench prepares both and calls this."""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import time


class Client:
    """A connection to the daemon: one JSON-RPC message a line."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.last = 0

    def call(self, method, **params):
        self.last += 1
        message = {"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        answer = json.loads(self.lines.readline())
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']['message']}")
        return answer["result"]


def milliseconds(work):
    start = time.monotonic()
    result = work()
    return (time.monotonic() - start) * 1000, result


def row(name, samples, unit="ms"):
    print(f"{name:<52}{min(samples):9.1f}{statistics.median(samples):9.1f}{max(samples):9.1f}  {unit}")


def pod_config(name):
    return {"metadata": {"name": name, "namespace": "bench", "uid": name}}


def machine_process(client, pod):
    info = client.call("PodSandboxStatus", podSandboxId=pod, verbose=True)["info"]
    return json.loads(info["machine"])["processID"]


def argument(arguments, name):
    return arguments[arguments.index(name) + 1]


def peer_arguments(process, options):
    """Plain QEMU with the kernel, initramfs, arguments, size and devices of a pod's machine."""
    with open(f"/proc/{process}/cmdline") as file:
        pod = file.read().split("\0")
    scratch = f"{options.folder}/peer.raw"
    with open(scratch, "wb") as file:
        file.truncate(8 << 30)
    memory = re.search(r"\d+", argument(pod, "-m")).group()
    return [
        pod[0], "-machine", "q35,accel=tcg", "-cpu", argument(pod, "-cpu"), "-m", memory, "-smp", "1",
        "-nodefaults", "-no-user-config", "-display", "none",
        "-kernel", f"{options.guest}/vmlinux", "-initrd", f"{options.guest}/initramfs.cpio",
        "-append", argument(pod, "-append"),
        "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={options.folder}/peer.sock,server=on,wait=off",
        "-device", "virtserialport,chardev=agent,name=dev.carpel.agent",
        "-device", "virtio-scsi-pci", "-device", "pvpanic",
        "-drive", f"if=none,id=scratch,format=raw,file={scratch}", "-device", "virtio-blk-pci,drive=scratch,serial=scratch",
        "-serial", f"file:{options.folder}/peer.log",
    ]


def wait_for_agent(path):
    """Greets the agent and waits for its greeting, as CarpelGuestProtocol's Hello does."""
    magic = bytes([0xF5]) + bytes(byte | 0x80 for byte in b"carpel-session.")
    greeting = magic + bytes([1]) + os.urandom(16)
    channel = socket.socket(socket.AF_UNIX)
    while True:
        try:
            channel.connect(path)
            break
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.001)
    channel.sendall(greeting + b"\0")
    heard = b""
    while greeting not in heard:
        heard += channel.recv(65536)


def boot_peer(arguments, options):
    process = subprocess.Popen(arguments)
    try:
        wait_for_agent(f"{options.folder}/peer.sock")
    finally:
        elapsed = time.monotonic()
        process.kill()
        process.wait()
    return elapsed


def measure_boot(client, options):
    warm = client.call("RunPodSandbox", config=pod_config("warm"))["podSandboxId"]
    arguments = peer_arguments(machine_process(client, warm), options)
    client.call("RemovePodSandbox", podSandboxId=warm)
    ours, theirs = [], []
    for round_ in range(options.rounds):
        elapsed, answer = milliseconds(lambda: client.call("RunPodSandbox", config=pod_config(f"boot-{round_}")))
        ours.append(elapsed)
        client.call("RemovePodSandbox", podSandboxId=answer["podSandboxId"])
        start = time.monotonic()
        theirs.append((boot_peer(arguments, options) - start) * 1000)
    row("RunPodSandbox, request to answer (cold boot)", ours)
    row("plain QEMU, start to the agent's greeting", theirs)
    row("ratio, round by round", [a / b for a, b in zip(ours, theirs)], "x")


def run_container(client, pod, image):
    config = {"metadata": {"name": "sleep"}, "image": {"image": image}, "command": ["sleep", "100000"]}
    container = client.call("CreateContainer", podSandboxId=pod, config=config)["containerId"]
    client.call("StartContainer", containerId=container)
    return container


def measure_exec(client, options):
    pod = client.call("RunPodSandbox", config=pod_config("exec"))["podSandboxId"]
    elapsed, container = milliseconds(lambda: run_container(client, pod, options.image))
    row("CreateContainer and StartContainer", [elapsed])
    row("ExecSync of true", [
        milliseconds(lambda: client.call("ExecSync", containerId=container, cmd=["true"], timeout=10))[0]
        for _ in range(20 * options.rounds)
    ])
    row("PodSandboxStatus", [
        milliseconds(lambda: client.call("PodSandboxStatus", podSandboxId=pod))[0] for _ in range(100 * options.rounds)
    ])
    client.call("RemovePodSandbox", podSandboxId=pod)


def resident(process):
    with open(f"/proc/{process}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


def measure_memory(client, options):
    row("carpeld resident without pods", [resident(options.daemon)], "MiB")
    pods = []
    for index in range(10):
        pods.append(client.call("RunPodSandbox", config=pod_config(f"memory-{index}"))["podSandboxId"])
        run_container(client, pods[-1], options.image)
    row("carpeld resident with 10 pods of one container", [resident(options.daemon)], "MiB")
    row("QEMU resident, a pod", [resident(machine_process(client, pod)) for pod in pods], "MiB")
    for pod in pods:
        client.call("RemovePodSandbox", podSandboxId=pod)


def measure_guest(options):
    with open(f"{options.guest}/manifest.json") as file:
        manifest = json.load(file)
    row("agent, stripped (promise: at most 8 MB)", [manifest["agent"]["bytes"] / 1e6], "MB")
    row("initramfs", [manifest["initramfs"]["bytes"] / 1e6], "MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, required=True)
    for name in ("socket", "image", "guest", "folder"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--daemon", type=int, required=True, help="carpeld's process id")
    options = parser.parse_args()
    client = Client(options.socket)
    print(f"{'':<52}{'min':>9}{'median':>9}{'max':>9}")
    measure_guest(options)
    measure_boot(client, options)
    measure_exec(client, options)
    measure_memory(client, options)


main()
