"""Writes vae_steps.json: ten training steps of a small VAE in PyTorch, in float64, for several optimizers.

    /usr/bin/python3 tests/golden/vae_steps.py        (Debian's python3-torch 1.13.1; needs nothing else)

The model, with N = 5 data a batch, D = 12 features of value 0 or 1, H = 7 hidden units, K = 3 latents:

    h           = tanh(x W_encoder.0 + b)                          [N, H]
    mean | lv   = h W_head + b, lv clamped to [-30, 20]            [N, 2K]
    z           = mean + exp(lv / 2) * noise                       [N, K]
    logits      = tanh(z W_decoder.0 + b) W_decoder.1 + b          [N, D]
    nll         = sum over features of max(l, 0) - l x + log(1 + exp(-|l|))
    kl          = sum over latents of (mean^2 + exp(lv) - 1 - lv) / 2
    loss        = mean over the batch of nll + kl

Weights are stored [inputs, outputs], row-major (nn.Linear stores the transpose). Initial parameters and noise are
multiples of 2^-12, so that float32 holds them exactly. `losses` has the mean loss, nll and kl of each step, before its
update. The gradients are of the loss (a mean over the batch) at step 1.

Optimizers, g the gradient, t = 1, 2, ... the step:

    adam               m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
                       w -= lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
    adam_uncorrected   w -= lr m / (sqrt(v) + eps)                 (written out below: PyTorch has no such option)
    adam_decayed       w -= lr decay w, then as adam               (torch.optim.AdamW)
    rmsprop            v = alpha v + (1 - alpha) g^2;  w -= lr g / (sqrt(v) + eps)
    adagrad            v = v + g^2;  w -= lr g / (sqrt(v) + eps)
    sgd                u = momentum u + g (u = g at first);  w -= lr u

eps stands outside the square root in all of them.
"""

import json
import pathlib
import random

import torch

STEPS, N, D, H, K = 10, 5, 12, 7, 3
SHAPES = {
    "encoder.0.weight": [D, H],
    "encoder.0.bias": [H],
    "head.weight": [H, 2 * K],
    "head.bias": [2 * K],
    "decoder.0.weight": [K, H],
    "decoder.0.bias": [H],
    "decoder.1.weight": [H, D],
    "decoder.1.bias": [D],
}

generator = random.Random(2)


def gauss(shape, scale):
    """Normal numbers, rounded to multiples of 2^-12."""
    count = 1
    for size in shape:
        count *= size
    values = [round(generator.gauss(0, scale) * 4096) / 4096 for _ in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


initial = {name: gauss(shape, 0.4) for name, shape in SHAPES.items()}
data = torch.tensor(
    [[[float(generator.random() < 0.4) for _ in range(D)] for _ in range(N)] for _ in range(STEPS)],
    dtype=torch.float64,
)
noise = gauss([STEPS, N, K], 1)


def terms(p, x, e):
    h = torch.tanh(x @ p["encoder.0.weight"] + p["encoder.0.bias"])
    statistics = h @ p["head.weight"] + p["head.bias"]
    mean, lv = statistics[:, :K], torch.clamp(statistics[:, K:], -30, 20)
    z = mean + torch.exp(lv / 2) * e
    logits = torch.tanh(z @ p["decoder.0.weight"] + p["decoder.0.bias"]) @ p["decoder.1.weight"] + p["decoder.1.bias"]
    nll = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = 0.5 * (mean**2 + torch.exp(lv) - 1 - lv).sum(1)
    return nll.mean(), kl.mean()


class AdamUncorrected(torch.optim.Optimizer):
    def __init__(self, parameters, lr, betas, eps):
        super().__init__(parameters, dict(lr=lr, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                m = state["m"] = b1 * state.get("m", 0) + (1 - b1) * p.grad
                v = state["v"] = b2 * state.get("v", 0) + (1 - b2) * p.grad**2
                p -= group["lr"] * m / (v.sqrt() + group["eps"])


ADAM = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8}
OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, **ADAM),
    "adam_uncorrected": lambda p: AdamUncorrected(p, **ADAM),
    "adam_decayed": lambda p: torch.optim.AdamW(p, **ADAM, weight_decay=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-4),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=1e-2, eps=1e-4),
    "sgd": lambda p: torch.optim.SGD(p, lr=5e-4, momentum=0.9),
}


def flat(tensors):
    return {name: tensor.detach().flatten().tolist() for name, tensor in tensors.items()}


def train(make_optimizer):
    p = {name: tensor.clone().requires_grad_() for name, tensor in initial.items()}
    optimizer = make_optimizer(list(p.values()))
    losses, gradients, after = [], None, {}
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        nll, kl = terms(p, data[step - 1], noise[step - 1])
        (nll + kl).backward()
        losses.append({"loss": (nll + kl).item(), "nll": nll.item(), "kl": kl.item()})
        if step == 1:
            gradients = flat({name: tensor.grad for name, tensor in p.items()})
        optimizer.step()
        if step in (1, STEPS):
            after[step] = flat(p)
    return losses, gradients, after


result = {
    "writtenBy": f"vae_steps.py, PyTorch {torch.__version__}, float64",
    "sizes": {"steps": STEPS, "batch": N, "features": D, "hidden": H, "latents": K},
    "shapes": SHAPES,
    "initial": flat(initial),
    "data": data.int().flatten().tolist(),
    "noise": noise.flatten().tolist(),
    "gradients": train(OPTIMIZERS["adam"])[1],
    "optimizers": {},
}
for name, make_optimizer in OPTIMIZERS.items():
    losses, _, after = train(make_optimizer)
    result["optimizers"][name] = {"losses": losses, "afterStep1": after[1], "afterStep10": after[STEPS]}

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result, indent=None, separators=(",", ":")) + "\n")
