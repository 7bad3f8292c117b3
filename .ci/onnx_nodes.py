"""Runs ONNX's node tests of the activations through halfwave: onnx_nodes.py HALFWAVE ONNX_PRELU.

For each case of the installed onnx package the attributes and constant inputs become parameters,
the input a .npy for `halfwave apply`. Only the slope of PRelu is an array, which that does not take:
PRelu goes through the library's example onnx_prelu. The output is compared with the expected one, by bits where halfwave is exact. Where
it is not, neither is the expectation, which NumPy made in f32 in several roundings (of hardswish, 3
ulp off): there the output must be within ONNX's own tolerance of it, and within 1 ulp of the formula
in f64; in f16 and bf16, which are correctly rounded, equal to the formula.

Selu's constants are attributes in ONNX, and fixed in halfwave: only the case with the defaults runs.
"""

import math
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx.backend.test.loader import load_model_tests



def hard_sigmoid(x, alpha, beta):
    # Parameters are rounded to f32, as inputs are.
    return np.clip(np.float64(np.float32(alpha)) * x + np.float64(np.float32(beta)), 0, 1)


# Those below are relatively accurate in f64, for negative x too: nothing cancels.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x, alpha):
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)


def celu(x, alpha):
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0) / alpha), x)


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def gelu(x):
    return x / 2 * np.vectorize(math.erfc)(-x / math.sqrt(2))


def gelu_tanh(x):
    # (1 + tanh u) / 2 is the sigmoid of 2u.
    return x * sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


def mish(x):
    # tanh(log1p e) = ((1 + e)² − 1) / ((1 + e)² + 1) with e = eˣ, and divided by e² with e = e⁻ˣ.
    e = np.exp(-np.abs(x))
    negative = e * (e + 2) / (e * (e + 2) + 2)
    positive = (1 + 2 * e) / (1 + 2 * e + 2 * e * e)
    return x * np.where(x < 0, negative, positive)


# How many cases of each operator there must be. A count that falls short means that the package has
# changed, not that all is well.
CASES = {
    "Relu": 1,
    "LeakyRelu": 3,
    "ThresholdedRelu": 3,
    "Clip": 12,
    "HardSigmoid": 3,
    "HardSwish": 1,
    "Shrink": 2,
    "Softsign": 2,
    "PRelu": 2,
    "Sigmoid": 2,
    "Tanh": 2,
    "Softplus": 2,
    "Elu": 3,
    "Celu": 3,
    "Selu": 1,
    "Swish": 1,
    "Gelu": 4,
    "Mish": 1,
}

# Of what is not exact.
FORMULAS = {
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(x, 0),
    "elu": elu,
    "celu": celu,
    "selu": selu,
    "silu": lambda x, beta: x * sigmoid(beta * x),
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "mish": mish,
}


def operation(node, inputs):
    """The node as `halfwave apply` takes it; no name if it does not."""
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    # An input that is left out has no name, and no array.
    arrays = iter(inputs)
    given = {i: next(arrays) for i, name in enumerate(node.input) if name}

    def bound(i, default):
        return given[i].item() if i in given else default

    match node.op_type:
        case "Relu":
            return "relu", {}
        case "LeakyRelu":
            return "leaky_relu", {"slope": attributes.get("alpha", 0.01)}
        case "ThresholdedRelu":
            return "thresholded_relu", {"alpha": attributes.get("alpha", 1.0)}
        case "Clip":
            return "clip", {"min": bound(1, "-inf"), "max": bound(2, "inf")}
        case "HardSigmoid":
            alpha, beta = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
            return "hard_sigmoid", {"alpha": alpha, "beta": beta}
        case "HardSwish":
            return "hard_swish", {}
        case "Shrink":
            lambd, bias = attributes.get("lambd", 0.5), attributes.get("bias", 0.0)
            return "shrink", {"lambd": lambd, "bias": bias}
        case "Softsign":
            return "softsign", {}
        case "PRelu":
            return "prelu", {}
        case "Sigmoid" | "Tanh" | "Softplus" | "Mish":
            return node.op_type.lower(), {}
        case "Elu":
            return "elu", {"alpha": attributes.get("alpha", 1.0)}
        case "Celu":
            return "celu", {"alpha": attributes.get("alpha", 1.0)}
        case "Selu":
            return (None if attributes else "selu"), {}
        case "Swish":
            return "silu", {"beta": attributes.get("alpha", 1.0)}
        case "Gelu":
            return "gelu_tanh" if attributes.get("approximate") == b"tanh" else "gelu", {}


def written(name, parameters):
    """`clip(min=0.0, max=6.0)`."""
    if not parameters:
        return name
    return f"{name}({', '.join(f'{key}={value}' for key, value in parameters.items())})"


def distance(a, b):
    """How many numbers lie between the elements of `a` and `b`, at most; a NaN is only near its own bits."""
    if a.dtype.kind in "iu":
        return int(np.abs(a.astype(object) - b.astype(object)).max(initial=0))
    bits = np.dtype(f"i{a.dtype.itemsize}")
    low = np.iinfo(bits).min

    def ordered(x):
        # Of negative numbers the largest bits are the least number.
        return np.array([int(i) if i >= 0 else low - int(i) - 1 for i in x.view(bits).ravel()], object)

    return int(np.abs(ordered(a) - ordered(b)).max(initial=0))


def run(halfwave, folder, op, x):
    np.save(folder / "x.npy", x)
    command = [halfwave, "apply", op, "x.npy", "-o", "y.npy", "--quiet"]
    if x.dtype == ml_dtypes.bfloat16:
        # Of which a .npy only says that it has two bytes.
        command += ["--dtype", "bf16"]
    said = finished(command, folder)
    if said:
        return None, said
    y = np.load(folder / "y.npy")
    return (y.view(x.dtype) if y.dtype.kind == "V" else y), ""


def run_prelu(onnx_prelu, folder, x, slope):
    command = [onnx_prelu]
    for name, array in [("x", x), ("slope", slope)]:
        array.astype("<f4", casting="no").tofile(folder / name)
        command += [name, "x".join(map(str, array.shape)) or "1"]
    said = finished([*command, "y"], folder)
    return (None, said) if said else (np.fromfile(folder / "y", "<f4").reshape(x.shape), "")


def finished(command, folder):
    """What went wrong, if anything did."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode and (done.stderr.strip() or f"exit status {done.returncode}")


def judge(case, y, expected, truth):
    """Whether `y` is right, and in what words. `truth` is None of an exact operator."""
    if (y.dtype, y.shape) != (expected.dtype, expected.shape):
        return False, f"{y.dtype} {y.shape}, not {expected.dtype} {expected.shape}"
    off = distance(y, expected)
    if truth is None:
        return off == 0, "to the bit" if off == 0 else f"{off} ulp off"
    true_off = distance(y, truth.astype(y.dtype))
    near = np.allclose(y.astype(np.float64), expected.astype(np.float64), case.rtol, case.atol)
    said = f"{off} ulp from what is expected, {true_off} from the formula in f64"
    return near and true_off <= (0 if y.itemsize == 2 else 1), said


def main(*programs):
    halfwave, onnx_prelu = (str(Path(program).resolve()) for program in programs)
    warnings.simplefilter("ignore")  # of cases that are not ours
    np.seterr(all="ignore")
    ran, failed = Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        for case in load_model_tests(kind="node"):
            nodes = case.model.graph.node
            # The others are the same operators written out in other ones.
            if len(nodes) != 1 or nodes[0].op_type not in CASES:
                continue
            operator = nodes[0].op_type
            for inputs, [expected] in case.data_sets:
                name, parameters = operation(nodes[0], inputs)
                if name is None:
                    continue
                formula = FORMULAS.get(name)
                op = written(name, parameters)
                if operator == "PRelu":
                    y, said = run_prelu(onnx_prelu, Path(folder), *inputs)
                else:
                    y, said = run(halfwave, Path(folder), op, inputs[0])
                good = y is not None
                if good:
                    truth = formula and formula(inputs[0].astype(np.float64), **parameters)
                    good, said = judge(case, y, expected, truth)
                ran[operator] += 1
                failed += not good
                print(f"{case.name}: {op} on {expected.dtype}: {'ok' if good else 'FAILED'}, {said}")
    for operator, least in CASES.items():
        if ran[operator] < least:
            print(f"FAILED: {ran[operator]} cases of {operator} ran, and there should be {least}")
            failed += 1
    print(f"onnx: {ran.total()} cases ran, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
