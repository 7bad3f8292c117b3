"""How far PyTorch's and ONNX Runtime's f32 activations are from the true values: accuracy.py [-h].

Prints Markdown: docs/accuracy-peers.md is its output.
"""

import argparse
import sys

import numpy as np
import torch

import contenders
import truth

BLOCK = 1 << 20


def torch_function(name):
    f = contenders.torch_call(name)

    def call(x):
        y = np.empty_like(x)
        result = f(torch.from_numpy(x), torch.from_numpy(y))
        return result.numpy()

    return f and call


def onnx_function(name):
    if name not in contenders.ONNX:
        return None
    session = contenders.onnx_session(name)
    return lambda x: session.run(None, {"x0": x})[0]


PEERS = {"PyTorch": torch_function, "ONNX Runtime": onnx_function}


def truth_for(peer, name):
    if (peer, name) == ("ONNX Runtime", "selu"):
        # The standard gives the constants as f32.
        return truth.selu(1.05070102214813232421875, 1.67326319217681884765625)
    return truth.TRUTHS[name]


class Measured:
    """Of one peer's operation, over all finite inputs looked at."""

    def __init__(self):
        self.worst, self.worst_near, self.at = -1.0, 0.0, None
        self.count = self.rounded = 0
        self.not_finite = []

    def add(self, x, y, t):
        with np.errstate(over="ignore"):
            rounded = t.astype(np.float32)
        right = y == rounded
        self.count += len(x)
        self.rounded += int(right.sum())
        # Infinite, or NaN, where the true value is neither: no distance says how wrong that is.
        lost = ~np.isfinite(y) & np.isfinite(rounded)
        self.not_finite += list(zip(x[lost], y[lost]))
        with np.errstate(invalid="ignore"):
            off = np.abs(y.astype(np.float64) - t) / truth.ulp(t)
        # A right infinity is no error.
        off[lost | (right & ~np.isfinite(y))] = 0
        self.worst_near = max(self.worst_near, off[np.abs(x) <= 4].max(initial=0))
        i = int(off.argmax())
        if off[i] > self.worst:
            self.worst, self.at = float(off[i]), (x[i], y[i], t[i])


def finite_blocks(step):
    """Every `step`th f32, by bits."""
    for start in range(0, 1 << 32, BLOCK * step):
        bits = np.arange(start, min(start + BLOCK * step, 1 << 32), step, np.uint64)
        x = bits.astype(np.uint32).view(np.float32)
        x = x[np.isfinite(x)]
        if len(x):
            yield np.ascontiguousarray(x)


def limits(name, f):
    """What the peer makes of ±∞, NaN and −0.0 that is not the limit."""
    t = truth.TRUTHS[name]
    wrong = []
    for x in [-np.inf, np.inf, np.nan, -0.0]:
        # Enough for whole vectors, as in an array.
        y = f(np.full(64, x, np.float32))[0]
        # ±1e30 is as good as ∞: what comes is the limit, or beyond 1e29.
        with np.errstate(all="ignore"):
            limit = np.float32(t(np.array([np.clip(x, -1e30, 1e30)]))[0])
        limit = np.copysign(np.inf, limit) if abs(limit) > 1e29 else limit
        same = np.isnan(y) if np.isnan(x) else y == limit and np.signbit(y) == np.signbit(limit)
        if not same:
            wrong.append(f"{name}({shown(x)}) = {shown(y)}, not {shown(limit)}")
    return wrong


def shown(x):
    """As many digits as it takes to tell an f32 from its neighbours."""
    text = "NaN" if np.isnan(x) else f"{x:.9g}"
    return text.replace("inf", "∞").replace("-", "−")


def share(measured):
    """Rounded down, so that 100 means all."""
    return f"{np.floor(1e4 * measured.rounded / measured.count) / 100:.2f} %"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ops", nargs="*", help="operations [default: all that there is a truth for]")
    parser.add_argument("--step", type=int, default=257, help="look at every STEPth f32; 1 is all")
    args = parser.parse_args()
    unknown = [name for name in args.ops if name not in truth.TRUTHS]
    if unknown or args.step < 1:
        parser.error(f"no truth for {unknown}; there is {', '.join(truth.TRUTHS)}" if unknown else "--step is 1 or more")
    ops = args.ops or list(truth.TRUTHS)
    np.seterr(over="ignore", under="ignore")

    rows, notes, checked = [], [], 0.0
    for name in ops:
        print(f"{name} ...", file=sys.stderr)
        checked = max(checked, truth.check(name))
        functions = {peer: make(name) for peer, make in PEERS.items()}
        measured = {peer: Measured() for peer, f in functions.items() if f}
        for x in finite_blocks(args.step):
            for peer, m in measured.items():
                m.add(x, functions[peer](x), truth_for(peer, name)(x.astype(np.float64)))
        for peer in PEERS:
            if peer not in measured:
                rows.append([name, peer, *["—"] * 6])
                continue
            m = measured[peer]
            x, y, t = m.at
            rows.append([
                name, peer, f"{m.worst:.4g}", shown(x), shown(y), shown(t), f"{m.worst_near:.4g}", share(m),
            ])  # fmt: skip
            notes += [f"{peer}: {text}" for text in limits(name, functions[peer])]
            if m.not_finite:
                x, y = min(m.not_finite, key=lambda pair: abs(pair[0]))
                notes.append(
                    f"{peer}: {name} is infinite or NaN on {len(m.not_finite)} finite inputs that it has a finite "
                    f"value for, the least {name}({shown(x)}) = {shown(y)}"
                )

    every = "All" if args.step == 1 else f"Every {args.step}th"
    print(f"<!-- printed by benches/peers/accuracy.py {' '.join(sys.argv[1:])}".rstrip() + " -->")
    versions = ", ".join(contenders.VERSIONS[name] for name in [*PEERS, "NumPy"])
    print(f"{versions}; f32, default parameters.")
    print(f"{every} of the 2^32 bit patterns, those of finite numbers. An ulp is the distance of the two f32 around")
    print(f"the true value, subnormal ones too. The truth is in f64, off by at most {checked:.1g} f32 ulp from mpmath at")
    print("some thousand points, the tails among them.\n")
    head = ["operation", "peer", "max ULP", "at x", "gives", "true", "max ULP, \\|x\\| ≤ 4", "correctly rounded"]
    for row in [head, ["---"] * len(head), *rows]:
        print(f"| {' | '.join(row)} |")
    print("\nNot the limit, or not finite:\n")
    print("\n".join(f"- {note}" for note in notes) or "- none")


if __name__ == "__main__":
    main()
