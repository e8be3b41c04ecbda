"""Writes bits_vae.json: what PyTorch makes of the checkpoint bits_vae.safetensors, in float64.

    /usr/bin/python3 tests/golden/bits_vae.py      (Debian's python3-torch 1.13.1; needs nothing else)

The checkpoint is a vae 16-6-2 after a short training on 60 rows of 16 bits, which `rows` gives again. With two latents
every integral over z is a sum over a fine grid, so nothing here is drawn: of each row the log-likelihood, the ELBO, the
KL divergence, and the limit of the harmonic estimator, -log of the integral of q(z|x)^2 / (p(x|z) p(z)).
"""

import json
import pathlib
import struct

import torch

torch.set_default_dtype(torch.float64)
here = pathlib.Path(__file__).parent


def read_safetensors(path):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        assert entry["dtype"] == "F32"
        flat = torch.frombuffer(bytearray(raw[begin:end]), dtype=torch.float32)
        tensors[name] = flat.reshape(entry["shape"]).double()
    return tensors


p = read_safetensors(here / "bits_vae.safetensors")


def layer(x, name):
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


n, d = torch.meshgrid(torch.arange(60), torch.arange(16), indexing="ij")
rows = ((n % 2 == (d >= 8).long()) != ((n * 7 + d * 5) % 6 == 0)).double()

statistics = layer(torch.tanh(layer(rows, "encoder.0")), "encoder.posterior")
mean, log_variance = statistics[:, :2], statistics[:, 2:]
kl_by_dimension = 0.5 * (log_variance.exp() + mean**2 - 1 - log_variance)

axis = torch.linspace(-9, 9, 1801)
area = (axis[1] - axis[0]) ** 2
z = torch.cartesian_prod(axis, axis)
logits = layer(torch.tanh(layer(z, "decoder.0")), "likelihood")
log_prior = torch.distributions.Normal(0, 1).log_prob(z).sum(1)

result = {"writtenBy": f"bits_vae.py, PyTorch {torch.__version__}, float64"}
columns = {"logLikelihood": [], "elbo": [], "kl": kl_by_dimension.sum(1).tolist(), "harmonicLimit": []}
for row in range(60):
    log_likelihood = torch.distributions.Bernoulli(logits=logits).log_prob(rows[row]).sum(1)
    deviation = (0.5 * log_variance[row]).exp()
    log_q = torch.distributions.Normal(mean[row], deviation).log_prob(z).sum(1)
    joint = log_likelihood + log_prior
    columns["logLikelihood"].append((torch.logsumexp(joint, 0) + area.log()).item())
    columns["elbo"].append(((log_q.exp() * (joint - log_q)).sum() * area).item())
    columns["harmonicLimit"].append(-(torch.logsumexp(2 * log_q - joint, 0) + area.log()).item())
result["rows"] = columns
result["klByDimension"] = kl_by_dimension.mean(0).tolist()
result["variance"] = mean.var(0, unbiased=False).tolist()
aggregate = mean.var(0, unbiased=False) + log_variance.exp().mean(0)
result["aggregateVariance"] = aggregate.tolist()
# q(z) is the mixture of the 60 posteriors, on the same grid.
deviations = (0.5 * log_variance).exp()
log_mixture = torch.full((len(z),), -float("inf"))
for row in range(60):
    log_q = torch.distributions.Normal(mean[row], deviations[row]).log_prob(z).sum(1)
    log_mixture = torch.logaddexp(log_mixture, log_q - torch.tensor(60.0).log())
marginal = ((log_mixture.exp() * (log_mixture - log_prior)).sum() * area).item()
result["marginalKl"] = marginal
result["mutualInformation"] = kl_by_dimension.sum(1).mean().item() - marginal
(here / "bits_vae.json").write_text(json.dumps(result, indent=1) + "\n")
