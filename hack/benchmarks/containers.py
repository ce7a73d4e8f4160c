"""How long calls about containers take, and the memory of the daemon and its machines."""

import contextlib

import table
from daemon import milliseconds, resident_mebibytes

PODS = 10
CONTAINERS = 10


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


def measure_stats(daemon, options):
    with contextlib.ExitStack() as stack:
        for index in range(PODS):
            pod = stack.enter_context(daemon.pod(f"stats-{index}"))
            for number in range(CONTAINERS):
                pod.run_container(options.image, f"sleep-{number}")

        def sweep(**names):
            elapsed, answer = milliseconds(lambda: daemon.call("ListContainerStats", filter=names))
            return elapsed, len(answer["stats"])

        for name, count, names in (
            (f"ListContainerStats of a pod of {CONTAINERS}", CONTAINERS, {"podSandboxId": pod.id}),
            (f"ListContainerStats of {PODS} pods of {CONTAINERS}", PODS * CONTAINERS, {}),
        ):
            samples = [sweep(**names) for _ in range(10 * options.rounds)]
            if any(found != count for _, found in samples):
                raise RuntimeError(f"{name}: the answer has not the statistics of {count} containers")
            table.row(name, [elapsed for elapsed, _ in samples])
