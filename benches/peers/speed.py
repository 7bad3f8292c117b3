"""halfwave's speed beside PyTorch's, ONNX Runtime's and NumPy's: speed.py HALFWAVE [-h].

HALFWAVE is the command, built in release. All take turns: a round measures each once, for the same
time and by the best of many samples, and a ratio is within one round. What is printed is the median
of the rounds' ratios, and of each contender the best round.
"""

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from timeit import Timer

import ml_dtypes
import numpy as np
import onnx
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as ort

import contenders

PEERS = ["PyTorch", "ONNX Runtime", "NumPy"]
DTYPES = {
    "f32": (np.float32, torch.float32, onnx.TensorProto.FLOAT),
    "f64": (np.float64, torch.float64, onnx.TensorProto.DOUBLE),
    "f16": (np.float16, torch.float16, onnx.TensorProto.FLOAT16),
    "bf16": (ml_dtypes.bfloat16, torch.bfloat16, onnx.TensorProto.BFLOAT16),
}
PAGE = 4096
# As `halfwave bench`: no sample is shorter, so that reading the clock costs nothing beside it; and
# however slow a call, there are so many.
SAMPLE, TURNS = 50e-6, 5
# Elements per call of ONNX Runtime, at least: see `onnx_contender`.
ENOUGH = 1 << 17
# What a peer says to an operation that it does not have in a dtype.
REFUSALS = (RuntimeError, TypeError, ort.NotImplemented, ort.InvalidGraph)


def placed(x, offset):
    """A copy of x that starts `offset` bytes into a page, as the arrays of `halfwave bench` do."""
    room = np.empty(x.nbytes + 2 * PAGE, np.uint8)
    start = -room.ctypes.data % PAGE + offset
    array = room[start : start + x.nbytes].view(x.dtype)
    array[:] = x
    return array


def arrays(dtype, size):
    """The input, standard normal times 2 as `halfwave bench` has it, and room for the output."""
    x = (2 * np.random.default_rng(1).standard_normal(size)).astype(DTYPES[dtype][0])
    return placed(x, 0), placed(np.zeros_like(x), PAGE // 2)


# A contender: its Timer, how often a call runs the operation, and what must be said of it.


def torch_contender(name, dtype, x, y):
    f = contenders.torch_call(name)
    if f is None:
        return None

    def tensor(array):
        # Via bytes: from_numpy knows no bf16.
        return torch.from_numpy(array.view(np.uint8)).view(DTYPES[dtype][1])

    timer = Timer("f(x, out)", globals={"f": f, "x": tensor(x), "out": tensor(y)})
    return timer, 1, " \\*" if name in contenders.TORCH_NEW else ""


def onnx_contender(name, dtype, x, y):
    """A call from Python costs as much as some 10,000 elements. So one call runs the operator on the
    same small array as often as it takes, by as many nodes; each with a name of its own for the
    input, or they would be found out to be the same."""
    if name not in contenders.ONNX:
        return None
    element = DTYPES[dtype][2]
    copies = max(1, ENOUGH // len(x))
    with tempfile.NamedTemporaryFile(suffix=".onnx") as optimized:
        session = contenders.onnx_session(name, element, copies, optimized_model_filepath=optimized.name)
        nodes = onnx.load(optimized.name).graph.node
        # Of the input: some operators cast their constants.
        casts = any(node.op_type == "Cast" and node.input[0] == "x0" for node in nodes)
    binding = session.io_binding()
    for i in range(copies):
        binding.bind_input(f"x{i}", "cpu", 0, element, x.shape, x.ctypes.data)
        binding.bind_output(f"y{i}", "cpu", 0, element, y.shape, y.ctypes.data)
    timer = Timer("run(binding)", globals={"run": session.run_with_iobinding, "binding": binding})
    return timer, copies, " †" if casts else ""


def numpy_contender(name, dtype, x, y):
    f = contenders.NUMPY.get(name)
    if f is None or dtype == "bf16":  # which is not NumPy's, but ml_dtypes'
        return None
    return Timer("f(x, y)", globals={"f": f, "x": x, "y": y}), 1, ""


CONTENDERS = dict(zip(PEERS, [torch_contender, onnx_contender, numpy_contender]))


def contender(peer, name, dtype, x, y):
    """None where the peer does not have the operation in this dtype."""
    try:
        made = CONTENDERS[peer](name, dtype, x, y)
        if made:
            # Until new tensors find memory that was freed.
            made[0].timeit(5)
        return made
    except REFUSALS as error:
        print(f"{peer} has no {name} in {dtype}: {str(error).splitlines()[0]}", file=sys.stderr)
        return None


def best(timer, seconds):
    """Seconds of a call, the best of many samples within about `seconds`."""
    calls, samples, end = 1, [], time.perf_counter() + seconds
    while len(samples) < TURNS or time.perf_counter() < end:
        taken = timer.timeit(calls)
        if taken < SAMPLE:
            calls *= 2
        else:
            samples.append(taken / calls)
    return min(samples)


def halfwave(program, name, dtype, size, seconds):
    """Elements per ns. The limits that are measured with it take two thirds of the time."""
    command = [program, "bench", name, "--dtype", dtype, "--sizes", str(size)]
    command += ["--seconds", str(3 * seconds), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    said = json.loads(done.stdout)
    return said["sizes"][0]["elements_per_ns"], said["backend"]


def measure(args, name, dtype, size):
    """Of each contender all rounds' elements per ns; none of one that lacks the operation."""
    x, y = arrays(dtype, size)
    made = {peer: contender(peer, name, dtype, x, y) for peer in PEERS}
    rates = {peer: [] for peer in ["halfwave", *PEERS]}
    for _ in range(args.rounds):
        rate, backend = halfwave(args.halfwave, name, dtype, size, args.seconds)
        rates["halfwave"].append(rate)
        for peer in PEERS:
            if made[peer]:
                timer, copies, _ = made[peer]
                rates[peer].append(size * copies / best(timer, args.seconds) / 1e9)
    marks = {peer: made[peer][2] for peer in PEERS if made[peer]}
    return rates, marks, backend


def row(name, dtype, size, rates, marks):
    cells = [name, dtype, f"{size:,}", f"{max(rates['halfwave']):.3g}"]
    for peer in PEERS:
        if not rates[peer]:
            cells += ["—", "—"]
            continue
        ratio = statistics.median(a / b for a, b in zip(rates["halfwave"], rates[peer]))
        cells += [f"{max(rates[peer]):.3g}{marks[peer]}", f"**{ratio:.2f}**"]
    return cells


def overheads():
    """Microseconds of a call from Python, on one element."""
    x, y = arrays("f32", 1)
    calls = {peer: CONTENDERS[peer]("relu", "f32", x, y) for peer in ["PyTorch", "NumPy"]}
    return {peer: 1e6 * best(call[0], 0.1) for peer, call in calls.items()}


def parse():
    def sizes(text):
        return [2 ** int(n[2:]) if n.startswith("2^") else int(n) for n in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("halfwave", help="the command, such as target/release/halfwave")
    parser.add_argument("--ops", type=lambda text: text.split(","), help="[default: all that a peer has]")
    parser.add_argument("--dtypes", type=lambda text: text.split(","), default=list(DTYPES))
    parser.add_argument("--sizes", type=sizes, default=[4096, 1 << 18, 1 << 22], help="[default: 4096,2^18,2^22]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each contender in each round")
    args = parser.parse_args()
    listed = subprocess.run([args.halfwave, "list", "--json"], stdout=subprocess.PIPE, check=True)
    known = {op["name"] for op in json.loads(listed.stdout)}
    args.ops = args.ops or [name for name in contenders.OPERATIONS if name in known]
    for what, given, there in [("operation", args.ops, known), ("dtype", args.dtypes, DTYPES)]:
        for name in set(given) - set(there):
            parser.error(f"there is no {what} {name!r}; there is {', '.join(sorted(there))}")
    return args


def main():
    args = parse()
    # A tensor of 16 MiB that is freed goes back to the system, and the next one's page faults would be
    # most of what is measured. So glibc is to map nothing, and to keep a GiB.
    M_MMAP_MAX, M_TRIM_THRESHOLD = -4, -1
    for parameter, value in [(M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 1 << 30)]:
        if ctypes.CDLL(None).mallopt(parameter, value) != 1:
            raise SystemExit("speed.py: needs Linux with glibc: mallopt refuses")
    # NumPy has it do a part on its own.
    np.seterr(all="ignore")

    lines, backend = [], None
    for name in args.ops:
        for dtype in args.dtypes:
            for size in args.sizes:
                print(f"{name} {dtype} {size}", file=sys.stderr)
                rates, marks, backend = measure(args, name, dtype, size)
                lines.append(row(name, dtype, size, rates, marks))

    called = " and ".join(f"{microseconds:.1f} µs for {peer}" for peer, microseconds in overheads().items())
    print(f"""<!-- printed by benches/peers/speed.py -->
Elements per ns, one thread. halfwave ({backend}), {contenders.VERSIONS}; load of the machine at the end
{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores. Of each the best of {args.rounds} rounds; × is halfwave's speed over the peer's, the
median of the rounds' ratios. Input: standard normal times 2. Output: another array, written before.

- halfwave is called from Rust, ONNX Runtime for as many nodes at a time as take {ENOUGH:,} elements, the
  others from Python in a tight loop: a call costs {called}, which counts.
- \\* PyTorch has no `out=` here, and makes a new tensor, on memory that was used before.
- † ONNX Runtime has no kernel for this dtype, and casts to f32 and back.
""")
    head = ["operation", "dtype", "elements", "halfwave"]
    for peer in PEERS:
        head += [peer, "×"]
    for cells in [head, ["---"] * len(head), *lines]:
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
