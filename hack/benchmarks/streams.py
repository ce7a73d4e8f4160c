"""Bytes a second and the time of a key through exec and port-forward, beside a bare virtio-serial port of plain QEMU."""

import hashlib
import json
import os
import socket
import statistics
import struct
import threading
import time

import table

DATA, STDOUT, STATUS, CLOSE = 0, 1, 3, 255
MEBIBYTES = 128
PIPE_MEBIBYTES = 1024
KEYS = 200
PORT = 9000


class Stream:
    """A byte stream of the daemon's: frames of a channel, a length and a payload."""

    def __init__(self, daemon, url):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(daemon.socket.getpeername())
        self.file = self.socket.makefile("rb")
        request = {"jsonrpc": "2.0", "id": 1, "method": "OpenStream", "params": {"url": url}}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self.file.readline())
        if "error" in answer:
            raise RuntimeError(f"OpenStream: {answer['error']['message']}")

    def send(self, payload, channel=DATA):
        self.socket.sendall(struct.pack(">BI", channel, len(payload)) + payload)

    def receive(self):
        """The next frame's channel and payload."""
        channel, length = struct.unpack(">BI", self.file.read(5))
        return channel, self.file.read(length)

    def payloads(self, wanted):
        """What comes on a channel until the end."""
        while True:
            channel, payload = self.receive()
            if channel == wanted:
                yield payload
            elif channel == CLOSE:
                self.send(bytes([DATA]), CLOSE)
            elif channel == STATUS:
                if json.loads(payload).get("exitCode") != 0:
                    raise RuntimeError(f"a stream ended with {payload.decode()}")
                return

    def count(self, wanted):
        return sum(map(len, self.payloads(wanted)))


def execute(daemon, container, *command, **options):
    answer = daemon.call("Exec", containerId=container.id, cmd=list(command), stdout=True, **options)
    return Stream(daemon, answer["url"])


def rate(work):
    """Mebibytes a second of what `work` moves and counts."""
    start = time.monotonic()
    count = work()
    return count / (time.monotonic() - start) / 2**20


def from_command(daemon, container):
    return execute(daemon, container, "head", "-c", str(MEBIBYTES << 20), "/dev/zero").count(STDOUT)


def to_command(daemon, container):
    stream = execute(daemon, container, "wc", "-c", stdin=True)
    block = bytes(32768)
    for _ in range(MEBIBYTES << 5):
        stream.send(block)
    stream.send(bytes([DATA]), CLOSE)
    stream.count(STDOUT)
    return MEBIBYTES << 20


def through_pipe(daemon, container):
    """Sends other bytes each time through a command's stdin and stdout, and compares what comes back by its digest."""
    stream = execute(daemon, container, "cat", stdin=True)
    sent = hashlib.sha256()

    def feed():
        block = bytearray(os.urandom(1 << 20))
        for number in range(PIPE_MEBIBYTES):
            block[:4] = struct.pack(">I", number)
            sent.update(block)
            for start in range(0, len(block), 32768):
                stream.send(bytes(block[start:start + 32768]))
        stream.send(bytes([DATA]), CLOSE)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    received, count = hashlib.sha256(), 0
    for payload in stream.payloads(STDOUT):
        received.update(payload)
        count += len(payload)
    feeder.join()
    if received.digest() != sent.digest():
        raise RuntimeError(f"{PIPE_MEBIBYTES} MiB through Exec came back as other {count} bytes")
    return count


def from_port(daemon, pod, container):
    server = execute(
        daemon, container, "nc", "-l", "-p", str(PORT), "-e", "head", "-c", str(MEBIBYTES << 20), "/dev/zero")
    while True:
        try:
            port = Stream(daemon, daemon.call("PortForward", podSandboxId=pod.id, port=[PORT])["url"])
            break
        except RuntimeError:
            time.sleep(0.01)
    count = port.count(DATA)
    server.count(STDOUT)
    return count


def from_serial(machine):
    total = MEBIBYTES << 20
    machine.channel.sendall(f"head -c {total} /dev/zero >&3\n".encode())
    left = total
    while left:
        left -= len(machine.lines.buffer.read1(min(left, 65536)))
    machine.lines.readline()
    return total


def keys(send, receive):
    """Milliseconds from each key to its echo."""
    samples = []
    for _ in range(KEYS):
        start = time.monotonic()
        send(b"x")
        receive()
        samples.append((time.monotonic() - start) * 1000)
    return samples


def quantiles(samples):
    ordered = sorted(samples)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)]


def report_keys(name, rounds):
    for quantile, place in (("p50", 0), ("p99", 1)):
        table.row(f"{name}, {quantile}", [quantiles(samples)[place] for samples in rounds])


def terminal_keys(daemon, container):
    stream = execute(daemon, container, "sleep", "1000", stdin=True, tty=True)
    samples = keys(stream.send, stream.receive)
    stream.socket.close()
    stream.file.close()
    return samples


def serial_keys(machine):
    machine.channel.sendall(b"dd bs=1 count=%d <&3 >&3 2>/dev/null\n" % KEYS)
    samples = keys(machine.channel.sendall, lambda: machine.lines.buffer.read1(1))
    machine.lines.readline()
    return samples


def measure(daemon, shape, guest, options):
    with daemon.pod("streams") as pod, guest.machine(shape, []) as machine:
        container = pod.run_container(options.image)
        ours, theirs, sent, forwarded = [], [], [], []
        for _ in range(options.rounds):
            ours.append(rate(lambda: from_command(daemon, container)))
            theirs.append(rate(lambda: from_serial(machine)))
            sent.append(rate(lambda: to_command(daemon, container)))
            forwarded.append(rate(lambda: from_port(daemon, pod, container)))
        table.compare("stdout of Exec", ours, "  plain QEMU, virtio-serial port", theirs, "MiB/s")
        table.row("stdin of Exec", sent, "MiB/s")
        table.row("PortForward, from the pod", forwarded, "MiB/s")
        table.row(f"{PIPE_MEBIBYTES} MiB through cat, same digest", [rate(lambda: through_pipe(daemon, container))], "MiB/s")
        report_keys("a key's echo in Exec's terminal", [
            terminal_keys(daemon, container) for _ in range(options.rounds)
        ])
        report_keys("  plain QEMU, virtio-serial port and dd", [serial_keys(machine) for _ in range(options.rounds)])
