"""Measures a running carpeld beside plain QEMU; hack/bench prepares both and calls this."""

import argparse
import json
import subprocess

import boot
import containers
import network
import plain
import plugins
import requests
import streams
import table
import volumes
from daemon import Daemon


def measure_guest(options):
    with open(f"{options.guest}/manifest.json") as file:
        manifest = json.load(file)
    table.row("agent, stripped (promise: at most 8 MB)", [manifest["agent"]["bytes"] / 1e6], "MB")
    table.row("initramfs", [manifest["initramfs"]["bytes"] / 1e6], "MB")


def measure(options):
    daemon = Daemon(options.socket, options.daemon)
    plain.make_card()
    guest = plain.PlainGuest(options.guest, options.programs, options.folder)
    with daemon.pod("warm") as pod:
        shape = pod.shape()
    table.heading()
    measure_guest(options)
    boot.measure(daemon, shape, options)
    containers.measure_calls(daemon, options)
    containers.measure_memory(daemon, options)
    containers.measure_stats(daemon, options)
    requests.measure(daemon, options)
    network.measure_deletion(daemon, options)
    network.measure_throughput(daemon, shape, guest, options)
    streams.measure(daemon, shape, guest, options)
    volumes.measure(daemon, guest, options)
    plugins.measure_memory(daemon)
    plugins.measure(daemon, options)


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, required=True)
    for name, meaning in (
        ("socket", "the daemon's"), ("image", "has a shell, iperf3 and fio"), ("programs", "a folder with the same"),
        ("guest", "folder of the guest's kernel and initramfs"), ("folder", "for the peer's files"),
    ):
        parser.add_argument(f"--{name}", required=True, help=meaning)
    parser.add_argument("--daemon", type=int, required=True, help="carpeld's process id")
    options = parser.parse_args()
    try:
        measure(options)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"bench: {error}") from error


main()
