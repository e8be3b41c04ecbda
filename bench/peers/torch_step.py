# The benchmark's step in PyTorch, eager, on all processors. Run: python3 bench/peers/torch_step.py 500 20 100 2
import json, statistics, sys, time
import torch
import torch.nn.functional as F

hidden, latents, batch, seconds = [int(w) for w in sys.argv[1].split(",")], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
encoder = torch.nn.ModuleList([torch.nn.Linear(a, b) for a, b in zip([784] + hidden, hidden)])
mean, log_variance = torch.nn.Linear(hidden[-1], latents), torch.nn.Linear(hidden[-1], latents)
sizes = [latents] + hidden[::-1]
decoder = torch.nn.ModuleList([torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
logits = torch.nn.Linear(sizes[-1], 784)
parts = torch.nn.ModuleList([encoder, mean, log_variance, decoder, logits])
adam = torch.optim.Adam(parts.parameters(), lr=1e-3)
batches = [(torch.rand(batch, 784) < 0.13).float() for _ in range(8)]


def step(x):
    h = x
    for layer in encoder:
        h = torch.tanh(layer(h))
    m, v = mean(h), log_variance(h)
    h = m + torch.exp(0.5 * v) * torch.randn_like(m)
    for layer in decoder:
        h = torch.tanh(layer(h))
    nll = F.binary_cross_entropy_with_logits(logits(h), x, reduction="sum")
    loss = (nll + 0.5 * (m.square() + v.exp() - v - 1).sum()) / batch
    adam.zero_grad(set_to_none=True)
    loss.backward()
    adam.step()
    return loss


begin = time.perf_counter()
step(batches[0]).item()
first = time.perf_counter() - begin
begin, each = time.perf_counter(), 1.0
while time.perf_counter() - begin < 2:
    t = time.perf_counter()
    step(batches[1]).item()
    each = time.perf_counter() - t
count, rates = max(1, round(0.4 / each)), []
begin = time.perf_counter()
while time.perf_counter() - begin < seconds or len(rates) < 3:
    t = time.perf_counter()
    for i in range(count):
        loss = step(batches[i % 8])
    loss.item()
    rates.append(count * batch / (time.perf_counter() - t))
print(json.dumps({"samplesPerSecond": statistics.median(rates), "firstStepMs": 1000 * first}))
