"""Runs ONNX's node tests of the rectifiers through halfwave: onnx_nodes.py HALFWAVE ONNX_PRELU.

For each case of the installed onnx package the attributes and constant inputs become parameters,
the input a .npy for `halfwave apply`. Only the slope of PRelu is an array, which that does not take:
PRelu goes through the library's example onnx_prelu. The output is compared with the expected one, by bits where halfwave is exact. Where
it is not, neither is the expectation, which NumPy made in f32 in several roundings (of hardswish, 3
ulp off): there the output must be within ONNX's own tolerance of it, and within 1 ulp of the formula
in f64.
"""

import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx.backend.test.loader import load_model_tests

def hard_sigmoid(x, alpha, beta):
    # Parameters are rounded to f32, as inputs are.
    return np.clip(np.float64(np.float32(alpha)) * x + np.float64(np.float32(beta)), 0, 1)


# For each operator: how many cases there must be, and, if it is not exact, its formula. A count that
# falls short means that the package has changed, not that all is well.
OPERATORS = {
    "Relu": (1, None),
    "LeakyRelu": (3, None),
    "ThresholdedRelu": (3, None),
    "Clip": (12, None),
    "HardSigmoid": (3, hard_sigmoid),
    "HardSwish": (1, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "Shrink": (2, None),
    "Softsign": (2, lambda x: x / (1 + np.abs(x))),
    "PRelu": (2, None),
}


def operation(node, inputs):
    """The node as `halfwave apply` takes it."""
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


def written(name, parameters):
    """`clip(min=0.0, max=6.0)`."""
    if not parameters:
        return name
    return f"{name}({', '.join(f'{key}={value}' for key, value in parameters.items())})"


def distance(a, b):
    """How many numbers lie between the elements of `a` and `b`, at most; a NaN is only near its own bits."""
    if a.dtype.kind != "f":
        return int(np.abs(a.astype(object) - b.astype(object)).max(initial=0))
    bits = np.dtype(f"i{a.dtype.itemsize}")
    low = np.iinfo(bits).min

    def ordered(x):
        # Of negative numbers the largest bits are the least number.
        return np.array([int(i) if i >= 0 else low - int(i) - 1 for i in x.view(bits).ravel()], object)

    return int(np.abs(ordered(a) - ordered(b)).max(initial=0))


def run(halfwave, folder, op, x):
    np.save(folder / "x.npy", x)
    said = finished([halfwave, "apply", op, "x.npy", "-o", "y.npy", "--quiet"], folder)
    return (None, said) if said else (np.load(folder / "y.npy"), "")


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
    near = np.allclose(y, expected, case.rtol, case.atol)
    said = f"{off} ulp from what is expected, {true_off} from the formula in f64"
    return near and true_off <= 1, said


def main(*programs):
    halfwave, onnx_prelu = (str(Path(program).resolve()) for program in programs)
    warnings.simplefilter("ignore")  # of cases that are not ours
    np.seterr(all="ignore")
    ran, failed = Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        for case in load_model_tests(kind="node"):
            nodes = case.model.graph.node
            # The others are the same operators written out in other ones.
            if len(nodes) != 1 or nodes[0].op_type not in OPERATORS:
                continue
            operator = nodes[0].op_type
            formula = OPERATORS[operator][1]
            for inputs, [expected] in case.data_sets:
                name, parameters = operation(nodes[0], inputs)
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
    for operator, (least, _) in OPERATORS.items():
        if ran[operator] < least:
            print(f"FAILED: {ran[operator]} cases of {operator} ran, and there should be {least}")
            failed += 1
    print(f"onnx: {ran.total()} cases ran, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
