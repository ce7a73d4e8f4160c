"""The peer: plain QEMU with the kernel, arguments and size of a pod's machine, and nothing of Carpel around it."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time

# The node's and the guest's ends of the peer's network card.
DEVICE, ADDRESS, GUEST_ADDRESS = "peer0", "192.0.2.1", "192.0.2.2"

# The guest's first process: it takes command lines from the node and answers with their output and exit code.
INIT = """#!/busybox sh
/busybox mkdir -p /bin
/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do insmod "$module"; done
until [ -b /dev/vda ] && [ -c /dev/vport*p1 ]; do sleep 0.01; done
mkdir /lower /upper /tools
mount -t erofs -o ro /dev/vda /lower
mount -t tmpfs tmpfs /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /tools
cd /tools
mkdir -p proc sys dev data
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devtmpfs devtmpfs dev
exec 3<>"$(echo /dev/vport*p1)"
while :; do
    read -r line <&3 || { sleep 0.01; continue; }
    chroot . /bin/sh -c "$line" >/answer 2>&1
    code=$?
    { cat /answer; echo "exit $code"; } >&3
done
"""


class MachineShape:
    """What a pod's QEMU was started with."""

    def __init__(self, process):
        with open(f"/proc/{process}/cmdline") as file:
            self.arguments = file.read().split("\0")

    def value(self, name):
        return self.arguments[self.arguments.index(name) + 1]

    def values(self, name):
        return [value for option, value in zip(self.arguments, self.arguments[1:]) if option == name]

    def basics(self):
        """QEMU and its arguments without any device."""
        machine = self.value("-machine").split(",")[0]
        # Not the room that a pod's machine has to grow.
        memory = re.search(r"\d+k?", self.value("-m")).group()
        return [
            self.arguments[0], "-machine", machine, "-accel", self.value("-accel"), "-cpu", self.value("-cpu"),
            "-m", memory, "-smp", self.value("-smp"), "-nodefaults", "-no-user-config", "-display", "none",
            "-append", self.value("-append"),
        ]

    def network_card(self):
        """A card like the pod's, on the peer's own tap device."""
        vhost = any("vhost" in value for value in self.values("-netdev"))
        return [
            "-netdev", f"tap,id=card,ifname={DEVICE},script=no,downscript=no" + (",vhost=on" if vhost else ""),
            "-device", "virtio-net-pci,netdev=card,mac=52:54:00:12:34:56,romfile=",
        ]

    def disk(self, path):
        """The pod's own disk on this file, with its cache mode and all else, as a virtio disk."""
        nodes = [json.loads(value) for value in self.values("-blockdev")]
        files = [node for node in nodes if node.get("filename") == path]
        formats = [node for node in nodes if files and node.get("file") == files[0]["node-name"]]
        if not formats:
            raise RuntimeError(f"the pod's machine has no disk on {path}")
        return [
            "-blockdev", json.dumps(files[0]), "-blockdev", json.dumps(formats[0]),
            "-device", f"virtio-blk-pci,drive={formats[0]['node-name']}",
        ]


def make_card():
    for command in (
        f"tuntap add dev {DEVICE} mode tap", f"address add {ADDRESS}/24 dev {DEVICE}", f"link set {DEVICE} up",
    ):
        subprocess.run(["ip", *command.split()], check=True)


class PlainGuest:
    """What plain QEMU boots where the agent is not its guest: the pods' initramfs with another first process, and the
    programs of the bench's image on a disk."""

    def __init__(self, guest, programs, folder):
        self.kernel = f"{guest}/vmlinux"
        self.initramfs = f"{folder}/peer.cpio"
        self.programs = f"{folder}/peer.erofs"
        self.folder = folder
        subprocess.run(["mkfs.erofs", "--quiet", self.programs, programs], check=True, stdout=subprocess.DEVNULL)
        additions = f"{folder}/peer"
        os.makedirs(additions)
        shutil.copy("/bin/busybox", f"{additions}/busybox")
        with open(f"{additions}/init", "w") as file:
            file.write(INIT)
        os.chmod(f"{additions}/init", 0o755)
        # The kernel unpacks archives that follow one another, and of two files of one name the later one stays.
        shutil.copy(f"{guest}/initramfs.cpio", self.initramfs)
        with open(self.initramfs, "ab") as file:
            subprocess.run(
                ["cpio", "--quiet", "-o", "-H", "newc"], cwd=additions, input=b"init\nbusybox\n", stdout=file,
                check=True)

    @contextlib.contextmanager
    def machine(self, shape, devices):
        """Plain QEMU with these devices, from its guest's first answer to the end of the block."""
        channel, log = f"{self.folder}/peer.sock", f"{self.folder}/peer.log"
        process = subprocess.Popen([
            *shape.basics(), "-kernel", self.kernel, "-initrd", self.initramfs,
            "-drive", f"if=none,id=programs,format=raw,readonly=on,file={self.programs}",
            "-device", "virtio-blk-pci,drive=programs", "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=commands,path={channel},server=on,wait=off",
            "-device", "virtserialport,chardev=commands,name=commands", "-serial", f"file:{log}", *devices,
        ])
        try:
            machine = PlainMachine(process, connect(channel, process))
            machine.run("true")
            yield machine
        finally:
            process.kill()
            process.wait()


class PlainMachine:
    def __init__(self, process, channel):
        self.process = process
        self.channel = channel
        self.channel.settimeout(60)
        self.lines = channel.makefile("r")

    def run(self, command):
        """The output of a command line, which must succeed."""
        self.channel.sendall(command.encode() + b"\n")
        output = []
        for line in self.lines:
            if code := re.fullmatch(r"exit (\d+)\n", line):
                if code.group(1) != "0":
                    raise RuntimeError(f"plain QEMU's guest: {command}: {''.join(output)}")
                return "".join(output)
            output.append(line)
        raise RuntimeError("plain QEMU has ended")


def connect(path, process):
    """A connection to a socket that QEMU is about to make."""
    channel = socket.socket(socket.AF_UNIX)
    while process.poll() is None:
        try:
            channel.connect(path)
            return channel
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.001)
    raise RuntimeError("plain QEMU does not start")
