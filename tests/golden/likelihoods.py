"""Writes likelihoods.json: likelihoods of one number from PyTorch, in float64.

    /usr/bin/python3 tests/golden/likelihoods.py      (Debian's python3-torch 1.13.1; needs nothing else)

`continuousBernoulli`: -log p(x | logit), its derivative by the logit by automatic differentiation, and the mean, from
torch.distributions.ContinuousBernoulli. It takes logits through probabilities, which lose digits near 1 in float64 too,
so logits stay within +-12.
`gaussian`: -log p(x | mean, logVariance) and its derivatives, from torch.distributions.Normal.
`discretizedLogistic`: -log of the difference of two values of the distribution function of a logistic variable, made of a
uniform one by TransformedDistribution; the first bin from -infinity, the last to infinity. Its derivatives by location and
by logScale. Points where float64's difference has lost its digits are left out: that is what the formula in use is for.
"""

import json
import math
import pathlib

import torch
from torch.distributions import ContinuousBernoulli, Normal, TransformedDistribution, Uniform
from torch.distributions.transforms import AffineTransform, SigmoidTransform

torch.set_default_dtype(torch.float64)


def scalar(x):
    return torch.tensor(float(x), requires_grad=True)


def derivative(value, *inputs):
    return [g.item() for g in torch.autograd.grad(value, inputs)]


result = {"writtenBy": f"likelihoods.py, PyTorch {torch.__version__}, float64"}

result["continuousBernoulli"] = []
for logit in [-12, -5, -1.5, -1, -0.999, -0.3, -0.01, -0.001, 0, 0.0001, 0.02, 0.5, 0.999, 1, 1.001, 3, 8, 12]:
    for x in [0, 0.2, 0.5, 0.9, 1]:
        l = scalar(logit)
        distribution = ContinuousBernoulli(logits=l)
        nll = -distribution.log_prob(torch.tensor(float(x)))
        entry = {"logit": logit, "x": x, "nll": nll.item(), "mean": distribution.mean.item()}
        result["continuousBernoulli"].append({**entry, "gradient": derivative(nll, l)[0]})

result["gaussian"] = []
for mean, log_variance, x in [(0, 0, 0), (0.3, -4, 0.5), (1, -9, 0.98), (-2, 3, 1), (0.5, -2 * math.log(10), 0), (0.1, 8, 0.7)]:
    mu, lv = scalar(mean), scalar(log_variance)
    nll = -Normal(mu, torch.exp(lv / 2)).log_prob(torch.tensor(float(x)))
    by_mean, by_lv = derivative(nll, mu, lv)
    entry = {"mean": mean, "logVariance": log_variance, "x": x, "nll": nll.item()}
    result["gaussian"].append({**entry, "byMean": by_mean, "byLogVariance": by_lv})

result["discretizedLogistic"] = []
for location, log_scale in [(0.5, -3), (0.2, -1), (0.9, -5), (0, 0), (1.3, 1), (-0.4, -2), (0.35, 3)]:
    for k in [0, 1, 50, 128, 200, 254, 255]:
        mu, ls = scalar(location), scalar(log_scale)
        base = Uniform(torch.zeros(()), torch.ones(()))
        variable = TransformedDistribution(
            base, [SigmoidTransform().inv, AffineTransform(loc=mu, scale=torch.exp(ls))], validate_args=False
        )
        above = variable.cdf(torch.tensor((k + 0.5) / 255)) if k < 255 else torch.ones(())
        below = variable.cdf(torch.tensor((k - 0.5) / 255)) if k > 0 else torch.zeros(())
        probability = above - below
        if probability.item() < 1e-7:
            continue
        nll = -torch.log(probability)
        by_location, by_scale = derivative(nll, mu, ls)
        entry = {"location": location, "logScale": log_scale, "k": k, "nll": nll.item()}
        result["discretizedLogistic"].append({**entry, "byLocation": by_location, "byLogScale": by_scale})

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result, indent=1) + "\n")
