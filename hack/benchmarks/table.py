"""What is printed: a line for each figure."""

import statistics


def heading():
    print(f"{'':<52}{'min':>9}{'median':>9}{'max':>9}", flush=True)


def row(name, samples, unit="ms", remark=""):
    low, middle, high = min(samples), statistics.median(samples), max(samples)
    print(f"{name:<52}{low:9.1f}{middle:9.1f}{high:9.1f}  {unit}{remark}", flush=True)


def compare(name, ours, peer, theirs, unit="ms"):
    """Two rows and their ratio: ours by the peer's, a round at a time."""
    row(name, ours, unit)
    row(peer, theirs, unit)
    ratios = [a / b for a, b in zip(ours, theirs)]
    each = " ".join(f"{ratio:.2f}" for ratio in ratios)
    print(
        f"{'  ratio':<52}{min(ratios):9.2f}{statistics.median(ratios):9.2f}{max(ratios):9.2f}  x  each round: {each}",
        flush=True)
