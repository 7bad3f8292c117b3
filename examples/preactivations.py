"""Makes preactivations.npy, the real array that the README's first command rectifies.

The 1,797 handwritten digits of the UCI data set (8 x 8 pixels, in scikit-learn), standardised, go
through one randomly initialised layer of 64 units (He initialisation, as one does before a relu). In
such a layer "around 50% of hidden units are activated", says the article that started halfwave.

    pip install numpy==2.4.6 scikit-learn==1.9.1 && python examples/preactivations.py
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

x = load_digits().data
x = (x - x.mean()) / x.std()
weights = np.random.default_rng(0).normal(0, np.sqrt(2 / x.shape[1]), (x.shape[1], 64))
np.save(Path(__file__).with_name("preactivations.npy"), (x @ weights).astype(np.float32))
