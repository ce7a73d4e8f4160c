"""How fast a volume is for a container, beside plain QEMU on the same file."""

import json
import os

import table

SIZE = "256M"
SECONDS = 3
CASES = {
    "4 KiB random read": "--rw=randread --bs=4k --iodepth=16",
    "4 KiB random write": "--rw=randwrite --bs=4k --iodepth=16",
    "1 MiB sequential read": "--rw=read --bs=1M --iodepth=4",
    "1 MiB sequential write": "--rw=write --bs=1M --iodepth=4",
}
VOLUME = "bench"


def measure(daemon, guest, options):
    daemon.call("CreateVolume", name=VOLUME, capacityBytes=1 << 30)
    # Both find a file whose blocks are there.
    with volume_pod(daemon, "volume-layout") as pod:
        in_container(pod, options).run(fio("--rw=write --bs=1M --end_fsync=1"))
    ours, theirs = ({case: [] for case in CASES} for _ in range(2))
    for round_ in range(options.rounds):
        with volume_pod(daemon, f"volume-{round_}") as pod:
            shape = pod.shape()
            disk = shape.disk(next(volume["path"] for volume in pod.info("volumes")))
            run_cases(in_container(pod, options), ours)
        with guest.machine(shape, disk) as machine:
            machine.run("mount -t ext4 /dev/vdb /data")
            run_cases(machine, theirs)
            machine.run("umount /data")
    daemon.call("RemoveVolume", volume=VOLUME)
    for case in CASES:
        table.compare(f"volume, {case}", ours[case], "  plain QEMU on the same file", theirs[case], "MiB/s")


def volume_pod(daemon, name):
    return daemon.pod(name, volumes=[{"name": "data", "persistent": {"volume": VOLUME}}])


def in_container(pod, options):
    return pod.run_container(options.image, mounts=[{"containerPath": "/data", "carpel": {"volume": "data"}}])


def run_cases(side, samples):
    # What was written before is not to be written back meanwhile.
    os.sync()
    for case, arguments in CASES.items():
        result = json.loads(side.run(fio(f"{arguments} --ramp_time=1 --runtime={SECONDS} --time_based")))
        job = result["jobs"][0]
        samples[case].append((job["read"]["bw_bytes"] + job["write"]["bw_bytes"]) / (1 << 20))


def fio(arguments):
    options = f"--name=bench --filename=/data/bench --size={SIZE} --direct=1 --ioengine=libaio --thread {arguments}"
    return (
        f"cd /tmp; fio {options} --output-format=json --output=result >messages 2>&1 || {{ cat messages; exit 1; }};"
        " cat result")
