"""How long calls about containers take, and the memory of the daemon and its machines."""

import contextlib

import table
from daemon import milliseconds, resident_mebibytes


def measure_calls(daemon, options):
    with daemon.pod("calls") as pod:
        elapsed, container = milliseconds(lambda: pod.run_container(options.image))
        table.row("CreateContainer and StartContainer", [elapsed])
        table.row("ExecSync of true", [
            milliseconds(lambda: container.execute("true"))[0] for _ in range(20 * options.rounds)
        ])
        table.row("PodSandboxStatus", [
            milliseconds(lambda: daemon.call("PodSandboxStatus", podSandboxId=pod.id))[0]
            for _ in range(100 * options.rounds)
        ])


def measure_memory(daemon, options):
    table.row("carpeld resident without pods", [resident_mebibytes(daemon.process)], "MiB")
    with contextlib.ExitStack() as stack:
        pods = []
        for index in range(10):
            pods.append(stack.enter_context(daemon.pod(f"memory-{index}")))
            pods[-1].run_container(options.image)
        table.row("carpeld resident with 10 pods of one container", [resident_mebibytes(daemon.process)], "MiB")
        table.row("QEMU resident, a pod", [resident_mebibytes(pod.machine()) for pod in pods], "MiB")
