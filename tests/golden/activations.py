"""Writes activations.json: activations, likelihoods and divergences from PyTorch, in float64.

    /usr/bin/python3 tests/golden/activations.py      (Debian's python3-torch 1.13.1; needs nothing else)

`activations`: f(x) and f'(x) at `points`, f' by automatic differentiation. gelu is x Phi(x) by the error function,
elu has alpha = 1, leaky_relu has slope 0.01 below 0. At 0: relu' = 0, leaky_relu' = 0.01, elu' = 1.
`bernoulli`: -log p(x | logit) and its derivative by the logit.
`gaussianKl`: KL(N(mean, exp(logVariance)) || N(0, 1)) and its derivatives by mean and by logVariance, from
torch.distributions, which has the formula of its own.
"""

import json
import pathlib

import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

FUNCTIONS = {
    "tanh": torch.tanh,
    "relu": F.relu,
    "gelu": F.gelu,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "sigmoid": torch.sigmoid,
    "elu": F.elu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "silu": F.silu,
}
POINTS = [-8, -6.5, -5, -4, -3, -2.5, -2, -1.5, -1, -0.7, -0.3, -0.1, -0.001]
POINTS = POINTS + [0] + [-x for x in reversed(POINTS)]


def derivative(value, *inputs):
    return [g.item() for g in torch.autograd.grad(value, inputs)]


def scalar(x):
    return torch.tensor(float(x), dtype=torch.float64, requires_grad=True)


result = {"writtenBy": f"activations.py, PyTorch {torch.__version__}, float64", "points": POINTS, "activations": {}}
for name, function in FUNCTIONS.items():
    inputs = [scalar(x) for x in POINTS]
    values = [function(x) for x in inputs]
    result["activations"][name] = {
        "values": [value.item() for value in values],
        "derivatives": [derivative(value, x)[0] for value, x in zip(values, inputs)],
    }

result["bernoulli"] = []
for logit in [-50, -30, -10, -1, -0.001, 0, 0.5, 2, 10, 30, 50]:
    for x in [0, 0.25, 1]:
        l = scalar(logit)
        nll = F.binary_cross_entropy_with_logits(l, torch.tensor(float(x), dtype=torch.float64))
        result["bernoulli"].append({"logit": logit, "x": x, "nll": nll.item(), "gradient": derivative(nll, l)[0]})

result["gaussianKl"] = []
for mean, log_variance in [(0, 0), (1, 0), (-2.5, 0.5), (0.3, -4), (3, 2), (0, -20), (10, 8)]:
    mu, lv = scalar(mean), scalar(log_variance)
    prior = Normal(torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64))
    kl = kl_divergence(Normal(mu, torch.exp(lv / 2)), prior)
    by_mean, by_lv = derivative(kl, mu, lv)
    result["gaussianKl"].append(
        {"mean": mean, "logVariance": log_variance, "kl": kl.item(), "byMean": by_mean, "byLogVariance": by_lv}
    )

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result, indent=1) + "\n")
