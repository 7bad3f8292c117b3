"""What is measured, and how its tables are printed."""

import re
from dataclasses import dataclass, field

SMOOTH = [
    "sigmoid", "tanh", "silu", "gelu", "gelu_tanh", "quick_gelu", "softplus", "log_sigmoid", "mish", "elu", "selu",
    "tanh_shrink", "softsign",
]  # fmt: skip
RECTIFIERS = [
    "relu", "relu6", "leaky_relu", "hard_sigmoid", "hard_swish", "hard_shrink", "soft_shrink",
]  # fmt: skip
HALVES = ["sigmoid", "tanh", "silu", "gelu", "gelu_tanh", "mish", "elu", "leaky_relu", "hard_sigmoid", "hard_swish"]
DERIVATIVES = [
    "silu", "gelu", "gelu_tanh", "softplus", "log_sigmoid", "mish", "elu", "selu", "leaky_relu", "hard_sigmoid",
    "hard_swish",
]  # fmt: skip

PYTHON = ["PyTorch", "ONNX Runtime", "NumPy", "SciPy"]
NATIVE = ["rten", "VML", "SLEEF"]
# What is shown, but is no peer.
LIMITS = ["memcpy"]

PLAIN_LOOP = "A plain loop is a `for` over `std`'s functions, as the compiler vectorises it in a default build."


@dataclass
class Table:
    """Rows of operations, a part for each size."""

    title: str
    ops: list[str]
    sizes: list[int]
    peers: list[str]
    dtype: str = "f32"
    form: str = "apply"
    isa: str = "best"
    # Below so many times the best peer a factor is bold.
    bar: float = 1.3
    unit: str = "elements per ns"
    notes: list[str] = field(default_factory=list)


TABLES = {
    "f32": Table(
        "f32, everybody's best instructions",
        SMOOTH,
        [4096, 1 << 18],
        [*PYTHON, *NATIVE],
        notes=["PyTorch's gelu is oneDNN's on large arrays."],
    ),
    "avx2": Table(
        "f32, AVX2",
        SMOOTH,
        [4096, 1 << 18],
        [peer for peer in [*PYTHON, *NATIVE] if peer != "ONNX Runtime"],
        isa="avx2",
        bar=1.0,
        notes=["ONNX Runtime is not here: nothing keeps it from AVX-512."],
    ),
    "f16": Table("f16", HALVES, [1 << 18], ["PyTorch", "ONNX Runtime", "NumPy"], dtype="f16"),
    "bf16": Table("bf16", HALVES, [1 << 18], ["PyTorch"], dtype="bf16"),
    "f64": Table("f64", SMOOTH, [4096], [*PYTHON, "VML", "SLEEF"], dtype="f64"),
    "derivatives": Table(
        "Derivatives, f32",
        DERIVATIVES,
        [1 << 16],
        ["PyTorch"],
        form="backward",
        notes=["PyTorch's log_sigmoid has exp(-|x|) from its forward pass, which halfwave computes again."],
    ),
    "from_output": Table(
        "Derivatives from the output, f32", ["sigmoid", "tanh"], [1 << 16], ["PyTorch"], form="backward_from_output"
    ),
    "rectifiers": Table(
        "Rectifiers, f32",
        RECTIFIERS,
        [4096, 1 << 22],
        ["PyTorch", "ONNX Runtime", "NumPy", "rten", "plain loop", *LIMITS],
        bar=0.95,
        notes=["memcpy is no peer: it shows what moving the memory takes.", PLAIN_LOOP],
    ),
    "small": Table(
        "Small calls, f32",
        RECTIFIERS + SMOOTH,
        [8, 64, 256],
        ["rten", "plain loop"],
        bar=1.0,
        unit="ns per call",
        notes=["From Rust, by the methods of the operations' types.", PLAIN_LOOP],
    ),
}


def speed(table, size, seconds):
    return 1e9 * seconds if table.unit == "ns per call" else size / seconds / 1e9


def digits(number):
    """Three digits, or all before the point."""
    return f"{number:.0f}" if number >= 100 else f"{number:#.3g}"


def factor(row, limits=LIMITS):
    """halfwave's speed over the best peer's; None without peers."""
    peers = [seconds for peer, seconds in row["seconds"].items() if peer not in ("halfwave", *limits)]
    return min(peers) / row["seconds"]["halfwave"] if peers else None


def cells(table, row, peers):
    """halfwave, the peers, and the factor over the best of them."""
    shown = []
    for peer in ["halfwave", *peers]:
        seconds = row["seconds"].get(peer)
        text = "" if seconds is None else digits(speed(table, row["size"], seconds)) + row["marks"].get(peer, "")
        shown.append(text)
    times = factor(row)
    if times is None:
        return [*shown, ""]
    text = f"{times:.2f}"
    return [*shown, f"**{text}**" if float(text) < table.bar else text]


def markdown(table, rows):
    """A table for each size; of small calls one for all, side by side."""
    peers = [peer for peer in table.peers if any(peer in row["seconds"] for row in rows)]
    sizes = sorted({row["size"] for row in rows})
    if table.unit == "ns per call":
        head = ["operation"]
        lines = {}
        for size in sizes:
            head += [f"{size}: halfwave", *peers, "×"]
        for row in rows:
            lines.setdefault(row["op"], [row["op"]]).extend(cells(table, row, peers))
        return grid(head, lines.values())
    parts = []
    for size in sizes:
        lines = [[row["op"], *cells(table, row, peers)] for row in rows if row["size"] == size]
        head = [f"{size:,} elements", "halfwave", *peers, "× the best" if len(peers) > 1 else "×"]
        parts.append(grid(head, lines))
    return "\n".join(parts)


FIRST = "<!-- benches/peers/performance writes below, the newest first -->"
START, END = "<!-- benches/peers/performance on {} -->", "<!-- end -->"


def with_section(document, cpu, text):
    """The document with the section of this CPU first, in place of one that it had. The others stay."""
    if FIRST not in document:
        raise ValueError(f"has no line {FIRST!r}, which says where the section goes")
    start = START.format(cpu)
    old = re.compile(rf"{re.escape(start)}\n.*?{END}\s*", re.S)
    head, rest = old.sub("", document).split(FIRST)
    return f"{head}{FIRST}\n\n{start}\n{text}{END}\n\n{rest.lstrip()}"


def grid(head, lines):
    rows = [head, ["---", *["--:"] * (len(head) - 1)], *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
