"""halfwave's speed beside its peers': speed.py LIBRARY [-h].

LIBRARY is what native/ builds. All contenders of a row take turns on the same arrays, on one thread: a turn
measures each once, and of each the best of all turns counts. Before that each is held against halfwave: one that
computes something else is an error.

Prints Markdown, or with --json what `performance` makes docs/performance.md of.
"""

import argparse
import ctypes
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from timeit import Timer
from typing import Callable

import ml_dtypes
import numpy as np
import onnx
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as ort

import contenders
from native import Arrays, Native
from tables import LIMITS, NATIVE, PYTHON, TABLES, markdown

# Of each: NumPy's, PyTorch's and ONNX's name, and how far a peer may be from halfwave, relatively and absolutely:
# so little that gelu is not taken for gelu_tanh, so much that the peers' own errors pass.
DTYPES = {
    "f32": (np.float32, torch.float32, onnx.TensorProto.FLOAT, 1e-4, 1e-5),
    "f64": (np.float64, torch.float64, onnx.TensorProto.DOUBLE, 1e-7, 1e-7),
    "f16": (np.float16, torch.float16, onnx.TensorProto.FLOAT16, 3e-3, 1e-4),
    "bf16": (ml_dtypes.bfloat16, torch.bfloat16, onnx.TensorProto.BFLOAT16, 2e-2, 1e-3),
}
PAGE = 4096
# Seconds: no sample is shorter, so that reading the clock costs nothing beside it; and of each contender there
# are so many at least, however slow it is.
SAMPLE, TURNS = 50e-6, 5
# Elements per call of ONNX Runtime, at least: see `onnx_contender`.
ENOUGH = 1 << 17
# What a peer says to an operation that it does not have in a dtype.
REFUSALS = (RuntimeError, TypeError, ort.NotImplemented, ort.InvalidGraph)


class Data:
    """The arrays that a row's contenders share: x is standard normal times 2, dy standard normal, and each starts
    at a place of its own in a page, as those of `halfwave bench` do."""

    def __init__(self, dtype, size):
        random = np.random.default_rng(1)
        number = DTYPES[dtype][0]
        self.dtype, self.size = dtype, size
        self.x = placed((2 * random.standard_normal(size)).astype(number), 0)
        self.dy = placed(random.standard_normal(size).astype(number), PAGE // 4)
        self.y = placed(np.zeros(size, number), PAGE // 2)


def placed(x, offset):
    """A copy of x that starts `offset` bytes into a page."""
    room = np.empty(x.nbytes + 2 * PAGE, np.uint8)
    start = -room.ctypes.data % PAGE + offset
    array = room[start : start + x.nbytes].view(x.dtype)
    array[:] = x
    return array


@dataclass
class Contender:
    # How long so many calls take, in seconds.
    seconds: Callable[[int], float]
    # One call's result, if that is another array than y.
    result: Callable[[], np.ndarray] | None = None
    # How often a call runs the operation.
    per_call: int = 1
    # The same on one element, if a call's own cost is to be taken off.
    empty: "Contender | None" = None
    mark: str = ""
    # Kept as long as this is: bare pointers lead into it.
    data: Data | None = None


def native_contender(native, peer, op, form, data):
    run = native.find({"plain loop": "plain"}.get(peer, peer), op, data.dtype, form)
    arrays = Arrays(*(array.ctypes.data for array in [data.x, data.dy, data.y]), data.size)
    return run and Contender(lambda calls: run(arrays, calls), data=data)


def torch_contender(op, form, data):
    x, dy, y = (torch.from_numpy(a.view(np.uint8)).view(DTYPES[data.dtype][1]) for a in [data.x, data.dy, data.y])
    if form == "apply":
        f, names = contenders.torch_call(op), "x, y"
    else:
        functions = {"backward": contenders.TORCH_BACKWARD, "backward_from_output": contenders.TORCH_FROM_OUTPUT}
        f, names = functions[form].get(op), "x, dy, y"
    if f is None:
        return None
    variables = {"f": f, "x": x, "dy": dy, "y": y}
    timer = Timer(f"f({names})", globals=variables)

    def result():
        made = eval(f"f({names})", variables)
        return data.y if made is None else made.view(torch.uint8).numpy().view(data.y.dtype)

    new = op in contenders.TORCH_NEW if form == "apply" else op == "mish"
    return Contender(timer.timeit, result, mark=" \\*" if new else "")


def onnx_contender(op, form, data, copies=None):
    """A call from Python costs as much as some 10,000 elements. So one call runs the operator on the same small
    array as often as it takes, by as many nodes; each with a name of its own for the input, or they would be found
    out to be the same."""
    if op not in contenders.ONNX or form != "apply":
        return None
    element = DTYPES[data.dtype][2]
    copies = copies or max(1, ENOUGH // data.size)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as optimized:
        session = contenders.onnx_session(op, element, copies, optimized_model_filepath=optimized.name)
        nodes = onnx.load(optimized.name).graph.node
        # Of the input: some operators cast their constants.
        casts = any(node.op_type == "Cast" and node.input[0] == "x0" for node in nodes)
    binding = session.io_binding()
    for i in range(copies):
        binding.bind_input(f"x{i}", "cpu", 0, element, data.x.shape, data.x.ctypes.data)
        binding.bind_output(f"y{i}", "cpu", 0, element, data.y.shape, data.y.ctypes.data)
    timer = Timer("run(binding)", globals={"run": session.run_with_iobinding, "binding": binding})
    return Contender(timer.timeit, per_call=copies, mark=" †" if casts else "", data=data)


def numpy_contender(functions, op, form, data):
    f = functions.get(op)
    if f is None or form != "apply" or data.dtype == "bf16":  # which is not NumPy's, but ml_dtypes'
        return None
    return Contender(Timer("f(x, y)", globals={"f": f, "x": data.x, "y": data.y}).timeit)


def python_contender(peer, op, form, data, **how):
    if peer == "PyTorch":
        return torch_contender(op, form, data)
    if peer == "ONNX Runtime":
        return onnx_contender(op, form, data, **how)
    return numpy_contender({"NumPy": contenders.NUMPY, "SciPy": contenders.SCIPY}[peer], op, form, data)


def contender(native, peer, op, form, data):
    """None where the peer does not have the operation in this dtype and form."""
    if peer not in PYTHON:
        return native_contender(native, peer, op, form, data)
    try:
        made = python_contender(peer, op, form, data)
        if made is None:
            return None
        # Until new tensors find memory that was freed.
        made.seconds(5)
    except REFUSALS as error:
        print(f"{peer} has no {op} in {data.dtype}: {str(error).splitlines()[0]}", file=sys.stderr)
        return None
    how = {"copies": made.per_call} if peer == "ONNX Runtime" else {}
    made.empty = python_contender(peer, op, form, Data(data.dtype, 1), **how)
    return made


def output(made, data):
    """What one call gives; NaN where it writes nothing."""
    data.y[:] = np.nan
    if made.result:
        return made.result().astype(np.float64)
    made.seconds(1)
    return data.y.astype(np.float64)


def check(peer, op, data, given, wanted):
    relative, absolute = DTYPES[data.dtype][3:]
    wrong = ~np.isclose(given, wanted, rtol=relative, atol=absolute)
    if wrong.any():
        i = wrong.argmax()
        raise SystemExit(
            f"speed.py: {peer}'s {op} on {data.dtype} is not halfwave's: at {float(data.x[i]):.9g} it gives "
            f"{given[i]:.9g}, not {wanted[i]:.9g}; correct it in benches/peers before it is measured"
        )


def row(native, table, op, size):
    """halfwave and the table's peers, checked."""
    data = Data(table.dtype, size)
    if table.form == "backward_from_output":
        data.x[:], forward = data.x, native_contender(native, "halfwave", op, "apply", data)
        data.x[:] = output(forward, data).astype(data.x.dtype)
    made = {peer: contender(native, peer, op, table.form, data) for peer in ["halfwave", *table.peers]}
    made = {peer: c for peer, c in made.items() if c}
    wanted = output(made["halfwave"], data)
    for peer, c in made.items():
        if peer not in LIMITS:
            check(peer, op, data, output(c, data), wanted)
    return made, data


class Best:
    """The shortest call of a contender's yet."""

    def __init__(self, seconds):
        self.run, self.calls, self.best, self.samples = seconds, 1, float("inf"), 0

    def take(self):
        # Untimed: what the one before left in the caches is not this one's merit.
        self.run(1)
        taken = self.run(self.calls)
        if taken < SAMPLE:
            self.calls *= 2
            return
        self.best = min(self.best, taken / self.calls)
        self.samples += 1


def measure(made, seconds):
    """Of each contender the seconds of the operation, the best of turns that take about `seconds` for each."""
    full = {peer: Best(c.seconds) for peer, c in made.items()}
    empty = {peer: Best(c.empty.seconds) for peer, c in made.items() if c.empty}
    everyone = [*full.values(), *empty.values()]
    end = time.perf_counter() + seconds * len(everyone)
    while time.perf_counter() < end or min(best.samples for best in everyone) < TURNS:
        for best in everyone:
            best.take()
    return {
        peer: (full[peer].best - (empty[peer].best if peer in empty else 0)) / c.per_call for peer, c in made.items()
    }


def parse():
    def names(known):
        def split(text):
            for name in text.split(","):
                if name not in known:
                    raise argparse.ArgumentTypeError(f"there is no {name!r}; there is {', '.join(known)}")
            return text.split(",")

        return split

    known = list(dict.fromkeys(op for table in TABLES.values() for op in table.ops))
    about, _, more = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(description=about, epilog=more, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("library", help="such as target/release/libhalfwave_peers.so")
    parser.add_argument("--tables", type=names(TABLES), default=list(TABLES), help=f"some of {','.join(TABLES)}")
    parser.add_argument("--ops", type=names(known), default=known, help="some of the tables' operations")
    parser.add_argument("--seconds", type=float, default=0.4, help="for each contender of a row [default: 0.4]")
    parser.add_argument("--check", action="store_true", help="compare the contenders' results, and measure nothing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    return parser.parse_args()


def prepare():
    # A tensor of 16 MiB that is freed goes back to the system, and the next one's page faults would be
    # most of what is measured. So glibc is to map nothing, and to keep a GiB.
    M_MMAP_MAX, M_TRIM_THRESHOLD = -4, -1
    for parameter, value in [(M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 1 << 30)]:
        if ctypes.CDLL(None).mallopt(parameter, value) != 1:
            raise SystemExit("speed.py: needs Linux with glibc: mallopt refuses")
    np.seterr(all="ignore")
    # On one core throughout.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def progress(text):
    """On a terminal one line, which changes; else a line for each text."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def main():
    args = parse()
    prepare()
    native = Native(args.library)
    for peer, reason in native.skipped.items():
        print(f"skipped: {peer} ({reason})", file=sys.stderr)

    plan = [(name, op, n) for name in args.tables for n in TABLES[name].sizes for op in TABLES[name].ops if op in args.ops]
    # All before any is measured, so that a mistake costs no minutes.
    rows = [(name, op, n, *row(native, TABLES[name], op, n)) for name, op, n in plan]
    if args.check:
        print(f"{sum(len(made) for *_, made, _ in rows)} contenders of {len(rows)} rows agree", file=sys.stderr)
        return
    measured, began = [], time.monotonic()
    for i, (name, op, n, made, _) in enumerate(rows):
        left = (time.monotonic() - began) / i * (len(rows) - i) / 60 if i else 0
        progress(f"{i + 1}/{len(rows)} {name}: {op}, {n:,} elements" + (f"; {left:.0f} minutes left" if i else ""))
        marks = {peer: c.mark for peer, c in made.items()}
        seconds = measure(made, args.seconds)
        measured.append({"table": name, "op": op, "size": n, "seconds": seconds, "marks": marks})
    progress("")

    if args.json:
        versions = {**contenders.VERSIONS, **native.versions}
        said = {"backend": native.backend, "versions": versions, "skipped": native.skipped, "load": os.getloadavg()[0]}
        json.dump({**said, "rows": measured}, sys.stdout)
        return
    for name in args.tables:
        found = [r for r in measured if r["table"] == name]
        if found:
            print(f"## {TABLES[name].title}\n\n{markdown(TABLES[name], found)}")


if __name__ == "__main__":
    main()
