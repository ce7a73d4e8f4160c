#!/usr/bin/env python3
"""A client of Carpel's socket in Python's standard library, and what it can do.

The class is all that is needed: calls, subscriptions and streams of bytes. Run as a program it shows each of them:
the versions, a pod, a command with its three streams, the pod's events, and the pod's end.

Usage: carpel_client.py [--socket PATH] [--pull] IMAGE
"""

import argparse
import base64
import json
import os
import socket
import struct
import sys

DEFAULT_SOCKET = "/run/carpel/carpel.sock"


class CarpelError(Exception):
    """What the daemon refused or could not do."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["data"]["code"]
        self.reason = error["data"]["reason"]
        self.field = error["data"].get("field")


class Carpel:
    """One connection. Calls are made one after the other; items of subscriptions wait until they are asked for."""

    def __init__(self, path=DEFAULT_SOCKET):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._last_id = 0
        self._items = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def call(self, method, **params):
        """Calls a method and returns its result.

        Raises CarpelError if the daemon answers with an error, ConnectionError if it hangs up.
        """
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            message = self._read()
            if message.get("id") == self._last_id:
                if "error" in message:
                    raise CarpelError(message["error"])
                return message["result"]

    def subscribe(self, method, **params):
        """Subscribes now, and returns an iterator over the items; lists end, events go on for ever."""
        return self._notifications(self.call(method, **params)["subscription"])

    def _notifications(self, subscription):
        while True:
            queue = self._items.setdefault(subscription, [])
            while not queue:
                self._read()
            notification = queue.pop(0)
            if int(notification.get("missed", 0)):
                print(f"missed {notification['missed']} items", file=sys.stderr)
            if notification.get("item") is not None:
                yield notification["item"]
            if notification.get("end"):
                if "error" in notification:
                    raise CarpelError(notification["error"])
                return

    def exec(self, container, command, stdin=b""):
        """Runs a command, gives it `stdin`, and returns its exit code, what it wrote to stdout and to stderr."""
        url = self.call("Exec", containerId=container, cmd=command, stdin=True, stdout=True, stderr=True)["url"]
        with ByteStream(self.path, url) as stream:
            stream.write(stdin)
            stream.close_stdin()
            output = {ByteStream.STDOUT: b"", ByteStream.STDERR: b""}
            for channel, payload in stream.frames():
                if channel in output:
                    output[channel] += payload
        return stream.exit_code, output[ByteStream.STDOUT], output[ByteStream.STDERR]

    def _read(self):
        """The next message; a notification is kept for its subscription as well."""
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the daemon has hung up")
        message = json.loads(line)
        subscription = message.get("params", {}).get("subscription")
        if subscription:
            self._items.setdefault(subscription, []).append(message["params"])
        return message


class ByteStream:
    """The stream that Exec, Attach or PortForward prepared: frames of a channel, a length and a payload."""

    DATA, STDOUT, STDERR, STATUS, RESIZE, NOTICE, CLOSE = 0, 1, 2, 3, 4, 5, 255
    HEADER = struct.Struct(">BI")
    LARGEST = 32 << 10

    def __init__(self, path, url):
        self.exit_code = None
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._file = self._socket.makefile("rb")
        request = {"jsonrpc": "2.0", "id": 1, "method": "OpenStream", "params": {"url": url}}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self._file.readline())
        if "error" in answer:
            raise CarpelError(answer["error"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._socket.close()

    def write(self, data):
        """To the command's stdin. More than the daemon and the command hold waits until the command has read."""
        for start in range(0, len(data), self.LARGEST):
            self._send(self.DATA, data[start : start + self.LARGEST])

    def close_stdin(self):
        self._send(self.CLOSE, bytes([self.DATA]))

    def frames(self):
        """Yields channel and payload until the status has come, which says how the stream ended."""
        while True:
            channel, length = self.HEADER.unpack(self._exactly(self.HEADER.size))
            payload = self._exactly(length)
            if channel == self.STATUS:
                status = json.loads(payload)
                if "error" in status:
                    raise CarpelError(status["error"])
                self.exit_code = status.get("exitCode", 0)
                return
            yield channel, payload

    def _send(self, channel, payload):
        self._socket.sendall(self.HEADER.pack(channel, len(payload)) + payload)

    def _exactly(self, count):
        data = self._file.read(count)
        if len(data) < count:
            raise ConnectionError("the stream broke off")
        return data


def show(path, image, pull):
    with Carpel(path) as carpel, Carpel(path) as listener:
        version = carpel.call("Version")
        print(f"{version['runtimeName']} {version['runtimeVersion']}, CRI {version['runtimeApiVersion']}")
        if pull:
            carpel.call("PullImage", image={"image": image})

        events = listener.subscribe("GetContainerEvents")
        pod = carpel.call(
            "RunPod",
            config={"metadata": {"name": f"python-{os.getpid()}", "namespace": "default", "uid": "1"}},
            containerConfigs=[{"metadata": {"name": "main"}, "image": {"image": image}, "command": ["sleep", "1000"]}],
        )
        try:
            container = pod["containerIds"][0]
            print(f"pod {pod['podSandboxId'][:13]}, container {container[:13]}")

            answer = carpel.call("ExecSync", containerId=container, cmd=["echo", "hello"], timeout=20)
            print("ExecSync:", base64.b64decode(answer["stdout"]).decode().strip())

            code, out, err = carpel.exec(
                container, ["sh", "-c", "tr a-z A-Z; echo done >&2; exit 3"], stdin=b"through a stream\n"
            )
            print(f"Exec: exit code {code}, stdout {out!r}, stderr {err!r}")
        finally:
            carpel.call("RemovePodSandbox", podSandboxId=pod["podSandboxId"])

        for event in events:
            print("event:", event["containerEventType"], event["containerId"][:13])
            if event["containerEventType"] == "CONTAINER_DELETED_EVENT":
                break

        try:
            carpel.call("PodSandboxStatus", podSandboxId=pod["podSandboxId"])
        except CarpelError as error:
            print(f"the pod is gone: {error.code}, {error.reason}")


def main():
    parser = argparse.ArgumentParser(description="Shows what a client of Carpel's socket can do.")
    parser.add_argument("--socket", default=os.environ.get("CARPEL_SOCKET", DEFAULT_SOCKET))
    parser.add_argument("--pull", action="store_true", help="pull the image first")
    parser.add_argument("image")
    arguments = parser.parse_args()
    show(arguments.socket, arguments.image, arguments.pull)


if __name__ == "__main__":
    main()
