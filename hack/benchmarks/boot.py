"""How long a pod's start takes, beside plain QEMU until its agent greets."""

import os
import socket
import subprocess
import time

import plain
import table


def arguments(shape, options):
    """Plain QEMU with the kernel, initramfs and devices of a pod's machine."""
    scratch, channel, log = (f"{options.folder}/boot.{suffix}" for suffix in ("raw", "sock", "log"))
    with open(scratch, "wb") as file:
        file.truncate(8 << 30)
    return [
        *shape.basics(), "-kernel", f"{options.guest}/vmlinux", "-initrd", f"{options.guest}/initramfs.cpio",
        "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={channel},server=on,wait=off",
        "-device", "virtserialport,chardev=agent,name=dev.carpel.agent",
        "-device", "virtio-scsi-pci", "-device", "pvpanic", *shape.network_card(),
        "-drive", f"if=none,id=scratch,format=raw,file={scratch}",
        "-device", "virtio-blk-pci,drive=scratch,serial=scratch", "-serial", f"file:{log}",
    ]


def wait_for_agent(channel):
    """Greets the agent and waits for its greeting, as CarpelGuestProtocol's Hello does."""
    magic = bytes([0xF5]) + bytes(byte | 0x80 for byte in b"carpel-session.")
    greeting = magic + bytes([1]) + os.urandom(16)
    channel.settimeout(60)
    channel.sendall(greeting + b"\0")
    heard = b""
    while greeting not in heard:
        received = channel.recv(65536)
        if not received:
            raise RuntimeError("plain QEMU has ended before its agent greeted")
        heard += received


def boot(command, options):
    start = time.monotonic()
    process = subprocess.Popen(command)
    try:
        with plain.connect(f"{options.folder}/boot.sock", process) as channel:
            wait_for_agent(channel)
            return (time.monotonic() - start) * 1000
    finally:
        process.kill()
        process.wait()


def measure(daemon, shape, options):
    command = arguments(shape, options)
    ours, theirs, networks = [], [], []
    for round_ in range(options.rounds):
        with daemon.pod(f"boot-{round_}") as pod:
            ours.append(pod.start_milliseconds)
            networks.append(pod.step("network"))
        theirs.append(boot(command, options))
    table.compare(
        "RunPodSandbox, request to answer (cold boot)", ours, "  plain QEMU, start to the agent's greeting", theirs)
    table.row("the network plugin's ADD, a step of it", networks)
