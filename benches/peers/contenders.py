"""What the peers call halfwave's operations, with halfwave's default parameters."""

import functools
import warnings

import numpy as np
import onnx
import onnxruntime
import scipy
import torch
from scipy import special
from torch._C import _nn

torch.set_num_threads(1)
torch.set_grad_enabled(False)
warnings.simplefilter("ignore")

# PyTorch. Those that `out=` is not there for make a new tensor on every call.
TORCH_OUT = {
    "relu": lambda x, out: torch.clamp_min(x, 0, out=out),
    "relu6": lambda x, out: torch.clamp(x, 0, 6, out=out),
    "leaky_relu": lambda x, out: _nn.leaky_relu(x, 0.01, out=out),
    "hard_sigmoid": lambda x, out: _nn.hardsigmoid(x, out=out),
    "hard_swish": lambda x, out: _nn.hardswish(x, out=out),
    "hard_shrink": lambda x, out: torch.hardshrink(x, out=out),
    "soft_shrink": lambda x, out: _nn.softshrink(x, out=out),
    "sigmoid": lambda x, out: torch.sigmoid(x, out=out),
    "log_sigmoid": lambda x, out: _nn.log_sigmoid(x, out=out),
    "tanh": lambda x, out: torch.tanh(x, out=out),
    "softplus": lambda x, out: _nn.softplus(x, out=out),
    "elu": lambda x, out: _nn.elu(x, out=out),
    "silu": lambda x, out: _nn.silu(x, out=out),
    "gelu": lambda x, out: _nn.gelu(x, out=out),
    "gelu_tanh": lambda x, out: _nn.gelu(x, approximate="tanh", out=out),
    "mish": lambda x, out: _nn.mish(x, out=out),
}
TORCH_NEW = {
    "softsign": torch.nn.functional.softsign,
    "tanh_shrink": torch.nn.functional.tanhshrink,
    "celu": torch.celu,
    "selu": torch.selu,
}

# Its derivatives: dx from dy and x.
aten = torch.ops.aten
TORCH_BACKWARD = {
    "leaky_relu": lambda x, dy, dx: aten.leaky_relu_backward.grad_input(dy, x, 0.01, False, grad_input=dx),
    "hard_sigmoid": lambda x, dy, dx: aten.hardsigmoid_backward.grad_input(dy, x, grad_input=dx),
    "hard_swish": lambda x, dy, dx: aten.hardswish_backward.out(dy, x, out=dx),
    "log_sigmoid": lambda x, dy, dx: aten.log_sigmoid_backward.grad_input(dy, x, kept(x), grad_input=dx),
    "softplus": lambda x, dy, dx: aten.softplus_backward.grad_input(dy, x, 1, 20, grad_input=dx),
    "elu": lambda x, dy, dx: aten.elu_backward.grad_input(dy, 1, 1, 1, False, x, grad_input=dx),
    "selu": lambda x, dy, dx: aten.elu_backward.grad_input(dy, *SELU, 1, False, x, grad_input=dx),
    "silu": lambda x, dy, dx: aten.silu_backward.grad_input(dy, x, grad_input=dx),
    "gelu": lambda x, dy, dx: aten.gelu_backward.grad_input(dy, x, grad_input=dx),
    "gelu_tanh": lambda x, dy, dx: aten.gelu_backward.grad_input(dy, x, approximate="tanh", grad_input=dx),
    "mish": lambda x, dy, dx: aten.mish_backward(dy, x),
}
SELU = 1.6732632423543772, 1.0507009873554805
# From the output, y.
TORCH_FROM_OUTPUT = {
    "sigmoid": lambda y, dy, dx: aten.sigmoid_backward.grad_input(dy, y, grad_input=dx),
    "tanh": lambda y, dy, dx: aten.tanh_backward.grad_input(dy, y, grad_input=dx),
}


@functools.cache
def kept(x):
    """What log_sigmoid keeps of x for its derivative."""
    return aten.log_sigmoid_forward(x)[1]


# ONNX Runtime: operator, attributes, domain.
ONNX = {
    "relu": ("Relu", {}, ""),
    "leaky_relu": ("LeakyRelu", {}, ""),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6}, ""),
    "hard_swish": ("HardSwish", {}, ""),
    "hard_shrink": ("Shrink", {"lambd": 0.5}, ""),
    "soft_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.5}, ""),
    "softsign": ("Softsign", {}, ""),
    "sigmoid": ("Sigmoid", {}, ""),
    "tanh": ("Tanh", {}, ""),
    "softplus": ("Softplus", {}, ""),
    "elu": ("Elu", {}, ""),
    "celu": ("Celu", {}, ""),
    "selu": ("Selu", {}, ""),
    "silu": ("Swish", {}, ""),
    "gelu": ("Gelu", {}, ""),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}, ""),
    "quick_gelu": ("QuickGelu", {"alpha": 1.702}, "com.microsoft"),
    "mish": ("Mish", {}, ""),
}
OPSET = 24  # the first with Swish

# NumPy, where one ufunc is the operation.
NUMPY = {
    "relu": lambda x, out: np.maximum(x, 0, out=out),
    "relu6": lambda x, out: np.clip(x, 0, 6, out=out),
    "tanh": lambda x, out: np.tanh(x, out=out),
    "softplus": lambda x, out: np.logaddexp(x, 0, out=out),
}

# SciPy; gelu as x times its distribution function.
SCIPY = {
    "sigmoid": lambda x, out: special.expit(x, out=out),
    "log_sigmoid": lambda x, out: special.log_expit(x, out=out),
    "gelu": lambda x, out: np.multiply(x, special.ndtr(x, out=out), out=out),
}

# PyTorch's kernels depend on the instruction set it chooses; its accuracy too.
VERSIONS = {
    "PyTorch": f"PyTorch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()})",
    "ONNX Runtime": f"ONNX Runtime {onnxruntime.__version__}",
    "NumPy": f"NumPy {np.__version__}",
    "SciPy": f"SciPy {scipy.__version__}",
}


def torch_call(name):
    """`f(x, y)` that fills y, or ignores it; None if there is no such operation."""
    if name in TORCH_OUT:
        return TORCH_OUT[name]
    if name in TORCH_NEW:
        f = TORCH_NEW[name]
        return lambda x, out: f(x)
    return None


def onnx_session(name, element=onnx.TensorProto.FLOAT, copies=1, **options):
    """A session with inputs x0, x1, ..., outputs y0, y1, ..., each pair with a node of its own."""
    operator, attributes, domain = ONNX[name]
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node(operator, [f"x{i}"], [f"y{i}"], domain=domain, **attributes)
            for i in range(copies)
        ],
        name,
        [value(f"x{i}", element, ["n"]) for i in range(copies)],
        [value(f"y{i}", element, ["n"]) for i in range(copies)],
    )
    opsets = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid("com.microsoft", 1)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 4
    for key, setting in options.items():
        setattr(settings, key, setting)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
