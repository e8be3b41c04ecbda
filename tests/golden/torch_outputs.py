"""What PyTorch gives of exported models: torch_outputs.py FOLDER, with a folder for each, of vae.py, vae.safetensors and rows as float32.

Writes FOLDER/outputs.json: by model what encode, decode and draw_prior give; nll and kl over 300 draws, where there are any, and with the draws
given, where there is one of z; the loss after each of 20 steps of Adam, and what the trained model then decodes and weighs;
trained.safetensors beside the model has it.
"""

import importlib.util
import json
import pathlib
import sys

import torch



def with_draws(vae, x, condition, draws):
    """nll and kl with z's noise given, or None where a model draws more or something else."""
    asked = []

    def given(like, *_, **__):
        asked.append(like.shape)
        return draws if like.shape == draws.shape else original(like)

    original, torch.randn_like = torch.randn_like, given
    try:
        nll, kl = vae.terms(x, condition)
    finally:
        torch.randn_like = original
    return [nll.mean().item(), kl.mean().item()] if asked == [draws.shape] else None


root = pathlib.Path(sys.argv[1])
outputs = {"torch": torch.__version__}
for folder in sorted(path for path in root.iterdir() if path.is_dir()):
    torch.manual_seed(0)
    spec = importlib.util.spec_from_file_location("vae", folder / "vae.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vae = module.Vae.load(folder / "vae.safetensors")

    def rows(name, columns):
        file = folder / f"{name}.f32"
        if not file.exists():
            return None
        return torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.float32).reshape(-1, columns)

    x, z, noise = rows("x", vae.features), rows("z", vae.latents), rows("noise", vae.latents + 1)
    condition, draws = rows("condition", vae.condition or 1), rows("draws", vae.latents)
    found = {}
    with torch.no_grad():
        encoded = vae.encode(x, condition)
        names = vae.encode.__doc__.split(": ")[1].split(". ")[0].split(", ")
        for name, values in zip(names, encoded if isinstance(encoded, tuple) else (encoded,)):
            found[name] = values.flatten().tolist()
        found["decoded"] = vae.decode(z, condition).flatten().tolist()
        try:
            found["z"] = vae.draw_prior(noise, condition).flatten().tolist()
        except NotImplementedError:
            pass
        many = [each if each is None else each.repeat(300, 1) for each in (x, condition)]
        try:
            nll, kl = vae.terms(*many)
            found["terms"] = [nll.mean().item(), kl.mean().item()]
            found["drawnTerms"] = with_draws(vae, x, condition, draws)
        except NotImplementedError:
            pass
    if "terms" in found:
        vae.train()
        optimizer = torch.optim.Adam(vae.parameters(), 0.01)
        losses = []
        for _ in range(20):
            optimizer.zero_grad()
            loss = vae.loss(x, condition)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        found["losses"] = losses
        vae.eval()
        vae.save(folder / "trained.safetensors")
        again = module.Vae.load(folder / "trained.safetensors")
        with torch.no_grad():
            found["trained"] = again.decode(z, condition).flatten().tolist()
            found["trainedTerms"] = [each.mean().item() for each in again.terms(*many)]
            found["trainedDrawnTerms"] = with_draws(again, x, condition, draws)
    outputs[folder.name] = found
(root / "outputs.json").write_text(json.dumps(outputs))
