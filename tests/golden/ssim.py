"""Writes ssim.json: structural similarity and signal-to-noise ratio of two pairs of images from scikit-image, in float64.

    python3 tests/golden/ssim.py      (scikit-image 0.26.0; 0.19.3 agrees to 1e-13)

Wang et al.'s window: Gaussian, deviation 1.5, 11 wide; population covariances. "uniform" is scikit-image's default: 7 wide,
sample covariances. The images are sums of sines, which the test makes again.
"""

import json
import pathlib

import numpy
import skimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

result = {"writtenBy": f"ssim.py, scikit-image {skimage.__version__}, float64", "images": []}
for height, width, channels in [(28, 28, 1), (13, 20, 3)]:
    y, x, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(channels), indexing="ij")
    a = 0.5 + 0.5 * numpy.sin(0.7 * x + 0.3 * y + c)
    for amount in (0.1, 1.0):
        b = (1 - amount) * a + amount * (0.5 + 0.5 * numpy.sin(0.5 * x - 0.9 * y + 2 * c))
        ssim = {
            str(data_range): structural_similarity(
                a,
                b,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                data_range=data_range,
                channel_axis=2,
            )
            for data_range in (1, 2)
        }
        uniform = {
            str(data_range): structural_similarity(a, b, data_range=data_range, channel_axis=2) for data_range in (1, 2)
        }
        psnr = peak_signal_noise_ratio(a, b, data_range=1)
        shape = [height, width, channels]
        result["images"].append({"shape": shape, "amount": amount, "ssim": ssim, "uniform": uniform, "psnr": psnr})
(pathlib.Path(__file__).parent / "ssim.json").write_text(json.dumps(result, indent=1) + "\n")
