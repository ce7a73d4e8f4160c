"""The daemon's socket, and what is measured through it: pods and containers."""

import base64
import contextlib
import json
import re
import socket
import time

from plain import MachineShape


class Daemon:
    """A connection to the daemon: one JSON-RPC message a line."""

    def __init__(self, path, process):
        self.process = process
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.last = 0

    def call(self, method, **params):
        self.last += 1
        message = {"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        line = self.lines.readline()
        if not line:
            raise RuntimeError(f"{method}: the daemon has closed the connection")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    @contextlib.contextmanager
    def pod(self, name, **carpel):
        """A pod that is removed at the end; what fails is left to hack/bench's own end."""
        metadata = {"name": name, "namespace": "bench", "uid": name}
        config = {"metadata": metadata, "carpel": carpel}
        elapsed, answer = milliseconds(lambda: self.call("RunPodSandbox", config=config))
        pod = Pod(self, answer["podSandboxId"], elapsed)
        yield pod
        self.call("RemovePodSandbox", podSandboxId=pod.id)


class Pod:
    def __init__(self, daemon, identifier, start_milliseconds):
        self.daemon = daemon
        self.id = identifier
        self.start_milliseconds = start_milliseconds

    def status(self):
        return self.daemon.call("PodSandboxStatus", podSandboxId=self.id, verbose=True)

    def info(self, name):
        return json.loads(self.status()["info"][name])

    def machine(self):
        """QEMU's process id."""
        return self.info("machine")["processID"]

    def shape(self):
        return MachineShape(self.machine())

    def step(self, name):
        """How long a step of the start took, in milliseconds."""
        for step in self.info("timeline"):
            if step["name"] == name:
                return step["durationNanoseconds"] / 1e6
        raise RuntimeError(f"the pod's time line has no step \"{name}\"")

    def create_container(self, image, name="sleep", mounts=()):
        config = {
            "metadata": {"name": name}, "image": {"image": image}, "command": ["sleep", "100000"],
            "mounts": list(mounts),
        }
        return self.daemon.call("CreateContainer", podSandboxId=self.id, config=config)["containerId"]

    def run_container(self, image, name="sleep", mounts=()):
        container = self.create_container(image, name, mounts)
        self.daemon.call("StartContainer", containerId=container)
        return Container(self.daemon, container)


class Container:
    def __init__(self, daemon, identifier):
        self.daemon = daemon
        self.id = identifier

    def execute(self, *command):
        return self.daemon.call("ExecSync", containerId=self.id, cmd=list(command), timeout=300)

    def run(self, command):
        """The output of a command line, which must succeed."""
        answer = self.execute("sh", "-c", command)
        output, errors = (base64.b64decode(answer.get(name, "")).decode() for name in ("stdout", "stderr"))
        if answer.get("exitCode", 0) != 0:
            raise RuntimeError(f"{command}: {errors}{output}")
        return output


def milliseconds(work):
    start = time.monotonic()
    result = work()
    return (time.monotonic() - start) * 1000, result


def resident_mebibytes(process):
    with open(f"/proc/{process}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024
