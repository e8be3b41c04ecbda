"""Writes conv2d.json: convolutions and transposed convolutions with their gradients from PyTorch, in float64.

    /usr/bin/python3 tests/golden/conv2d.py      (Debian's python3-torch 1.13.1; needs nothing else)

Everything is flattened row-major in the project's order: images [N, H, W, C], weights [K, K, C, O]. PyTorch has images
[N, C, H, W], weights of a convolution [O, C, K, K] and of a transposed convolution [C, O, K, K]. All values are multiples
of 1/64, so that float32 holds them.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(5)


def draw(*shape):
    return (torch.randn(*shape, dtype=torch.float64) * 64).round() / 64


def flat(tensor):
    return [round(value, 10) for value in tensor.reshape(-1).tolist()]


layers = []
for transposed, batch, height, width, channels, outputs, kernel, stride, padding, output_padding in [
    (False, 2, 5, 7, 3, 5, 3, 1, 1, 0),
    (False, 2, 8, 8, 4, 3, 4, 2, 1, 0),
    (True, 2, 3, 4, 4, 5, 3, 1, 0, 0),
    (True, 2, 4, 4, 5, 3, 4, 2, 1, 0),
    (True, 1, 4, 3, 3, 4, 3, 2, 1, 1),
]:
    x = draw(batch, height, width, channels).requires_grad_()
    weight = draw(kernel, kernel, channels, outputs).requires_grad_()
    bias = draw(outputs).requires_grad_()
    images = x.permute(0, 3, 1, 2)
    if transposed:
        y = F.conv_transpose2d(images, weight.permute(2, 3, 0, 1), bias, stride, padding, output_padding)
    else:
        y = F.conv2d(images, weight.permute(3, 2, 0, 1), bias, stride, padding)
    y = y.permute(0, 2, 3, 1)
    upstream = draw(*y.shape)
    gradients = torch.autograd.grad(y, [x, weight, bias], upstream)
    layers.append(
        {
            "sizes": {
                "batch": batch,
                "height": height,
                "width": width,
                "channels": channels,
                "outputs": outputs,
                "kernel": kernel,
                "stride": stride,
                "padding": padding,
                "outputPadding": output_padding,
                "transposed": transposed,
            },
            "x": flat(x),
            "weight": flat(weight),
            "bias": flat(bias),
            "upstream": flat(upstream),
            "expected": {
                "y": flat(y),
                "x": flat(gradients[0]),
                "weight": flat(gradients[1]),
                "bias": flat(gradients[2]),
            },
        }
    )

result = {"writtenBy": f"conv2d.py, PyTorch {torch.__version__}, float64", "layers": layers}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result) + "\n")
