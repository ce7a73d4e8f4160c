"""What the network plugin's verbs cost, and how fast TCP is between a pod and the node, beside plain QEMU on a tap."""

import json
import os
import signal
import subprocess
import time

import plain
import table
from daemon import milliseconds

PORT = 5201
SECONDS = 3
# The most that a pod can be on: a single one would be lost in the noise of the disk, which keeps the pod's record.
DELETIONS = 4


def measure_deletion(daemon, options):
    """From the time of a stop which has no machine to end: with several networks to give back, and with none."""
    differences = []
    for round_ in range(options.rounds):
        on_networks = stop_without_machine(daemon, f"deletion-{round_}", ["default"] * DELETIONS)
        on_none = stop_without_machine(daemon, f"no-deletion-{round_}", ["none"])
        differences.append((on_networks - on_none) / DELETIONS)
    table.row("the network plugin's DEL", differences)


def stop_without_machine(daemon, name, networks):
    with daemon.pod(name, networks=[{"name": network} for network in networks]) as pod:
        os.kill(pod.machine(), signal.SIGKILL)
        deadline = time.monotonic() + 10
        while pod.status()["status"].get("state") != "SANDBOX_NOTREADY":
            if time.monotonic() > deadline:
                raise RuntimeError("the daemon does not see that a machine has ended")
            time.sleep(0.01)
        if len(pod.info("network")) != networks.count("default"):
            raise RuntimeError("a pod has given its networks back before it was stopped")
        return milliseconds(lambda: daemon.call("StopPodSandbox", podSandboxId=pod.id))[0]


def measure_throughput(daemon, shape, guest, options):
    server = subprocess.Popen(
        ["iperf3", "--server", "--port", str(PORT), "--interval", "0"], stdout=subprocess.DEVNULL)
    try:
        with daemon.pod("throughput") as pod, guest.machine(shape, shape.network_card()) as machine:
            container = pod.run_container(options.image)
            machine.run(f"ip address add {plain.GUEST_ADDRESS}/24 dev eth0 && ip link set eth0 up")
            gateway = pod.info("network")[0]["addresses"][0]["gateway"]
            report(container, gateway, machine, options)
    finally:
        server.kill()
        server.wait()


def report(container, gateway, machine, options):
    for name, flags in (("pod to node", ""), ("node to pod", "--reverse")):
        # The first transfer is slow for both: an emulator has not yet translated what it takes.
        throughput(container, gateway, flags)
        throughput(machine, plain.ADDRESS, flags)
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(throughput(container, gateway, flags))
            theirs.append(throughput(machine, plain.ADDRESS, flags))
        table.compare(f"TCP {name}, iperf3", ours, "  plain QEMU on a tap", theirs, "Mbit/s")


def throughput(side, address, flags):
    """Megabits a second that the receiver saw."""
    command = f"iperf3 --client {address} --port {PORT} --time {SECONDS} --interval 0 --json {flags}"
    return json.loads(side.run(command))["end"]["sum_received"]["bits_per_second"] / 1e6
