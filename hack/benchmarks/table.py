"""What is printed: a line for each figure."""

import statistics


def heading():
    print(f"{'':<52}{'min':>9}{'median':>9}{'max':>9}", flush=True)


def row(name, samples, unit="ms", remark="", digits=1):
    figures = (min(samples), statistics.median(samples), max(samples))
    columns = "".join(f"{figure:9.{digits}f}" for figure in figures)
    print(f"{name:<52}{columns}  {unit}{remark}", flush=True)


def compare(name, ours, peer, theirs, unit="ms"):
    """Two rows and their ratio, a round at a time."""
    row(name, ours, unit)
    row(peer, theirs, unit)
    ratios = [a / b for a, b in zip(ours, theirs)]
    each = " ".join(f"{ratio:.2f}" for ratio in ratios)
    row("  ratio, Carpel's by the peer's", ratios, "x", f"  each round: {each}", digits=2)
