"""What the peers call halfwave's operations, with halfwave's default parameters."""

import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from torch._C import _nn

torch.set_num_threads(1)
torch.set_grad_enabled(False)
warnings.simplefilter("ignore")

# PyTorch. Those that `out=` is not there for make a new tensor on every call.
TORCH_OUT = {
    "relu": lambda x, out: torch.clamp_min(x, 0, out=out),
    "leaky_relu": lambda x, out: _nn.leaky_relu(x, 0.01, out=out),
    "hard_sigmoid": lambda x, out: _nn.hardsigmoid(x, out=out),
    "hard_swish": lambda x, out: _nn.hardswish(x, out=out),
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

# ONNX Runtime: operator, attributes, domain.
ONNX = {
    "relu": ("Relu", {}, ""),
    "leaky_relu": ("LeakyRelu", {}, ""),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6}, ""),
    "hard_swish": ("HardSwish", {}, ""),
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
    "tanh": lambda x, out: np.tanh(x, out=out),
    "softplus": lambda x, out: np.logaddexp(x, 0, out=out),
}

# The order of the tables.
OPERATIONS = list(dict.fromkeys([*TORCH_OUT, *TORCH_NEW, *ONNX]))

# PyTorch's kernels depend on the instruction set it chooses; its accuracy too.
VERSIONS = (
    f"PyTorch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}), "
    f"ONNX Runtime {onnxruntime.__version__}, NumPy {np.__version__}"
)


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
