"""$ABOUT

Needs PyTorch alone:

    from vae import Vae
    vae = Vae.load("vae.safetensors")
    mean, *_ = vae.encode(x)
    images = vae.sample(16)

    optimizer = torch.optim.Adam(vae.parameters(), 1e-4)
    vae.train()
    vae.loss(x).backward()
    optimizer.step()
    vae.save("trained.safetensors")
"""

import json
import struct

import torch
import torch.nn.functional as F
from torch import nn


class Weights(nn.Module):
    """Tensors that are used as they are: weight [outputs, inputs] and bias [outputs]."""

    def __init__(self, inputs, outputs, trained=True):
        super().__init__()
        shapes = {"weight": (outputs, inputs)} if inputs else {}
        for name, shape in {**shapes, "bias": (outputs,)}.items():
            if trained:
                setattr(self, name, nn.Parameter(torch.zeros(shape)))
            else:
                self.register_buffer(name, torch.zeros(shape))


class Masked(nn.Linear):
    """A dense layer of which only some weights are there."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.register_buffer("mask", torch.ones(outputs, inputs))

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


class Vae(nn.Module):
    features = $FEATURES
    latents = $LATENTS
    condition = $CONDITION  # columns; 0: none is given

    def __init__(self):
        super().__init__()
        self.metadata = {}
        # $MODULES

    # $METHODS

    def sample(self, count, condition=None, temperature=1.0):
        """E[x | z] of so many z ~ p(z)."""
        at = next(self.parameters())
        noise = temperature * torch.randn(count, self.latents + 1, device=at.device, dtype=at.dtype)
        noise[:, -1] = torch.rand(count, device=at.device, dtype=at.dtype)
        return self.decode(self.draw_prior(noise, condition), condition)

    def loss(self, x, condition=None, beta=1.0):
        """nll + beta KL, the mean over rows: with beta 1 the negative ELBO."""
        nll, kl = self.terms(x, condition)
        return (nll + beta * kl).mean()

    @classmethod
    def load(cls, path="vae.safetensors"):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            data = file.read()
        vae = cls()
        vae.metadata = header.pop("__metadata__", {})
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32)
            tensors[name] = values.reshape(entry["shape"])
        missing, unexpected = vae.load_state_dict(tensors, strict=False)
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing or unexpected:
            raise ValueError(f"Cannot load {path}: missing {missing}, unexpected {unexpected}")
        return vae.eval()

    def save(self, path):
        """As load reads it, and deno task import."""
        header, parts, end = {"__metadata__": self.metadata}, [], 0
        for name, tensor in self.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            values = tensor.detach().to("cpu", torch.float32).contiguous()
            part = values.numpy().tobytes()
            header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [end, end + len(part)]}
            parts.append(part)
            end += len(part)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
