"""names of scikit-image, which are imported when first used, as stub files beside its modules say."""
# /// script
# dependencies = ["lazy-loader", "scikit-image"]
# ///

import sys

import lazy_loader
import skimage

print("skimage.filters" in sys.modules, sorted(set(dir(skimage)) & {"data", "filters", "morphology", "io"}))
image = skimage.data.camera()
print(image.shape, image.mean().round(3), "skimage.filters" in sys.modules)
print(skimage.filters.threshold_otsu(image), "skimage.filters" in sys.modules, len(dir(skimage.filters)))
print(skimage.morphology.disk(1).tolist(), skimage.measure.label(image > 200).max())
blurred = skimage.filters.gaussian(image, preserve_range=True)
print(round(float(skimage.metrics.structural_similarity(image, blurred, data_range=255)), 3))
try:
    skimage.filters.nothing  # noqa: B018
except AttributeError as error:
    print(error)
missing = lazy_loader.load("no_such_module_at_all")
try:
    missing.name  # noqa: B018
except ModuleNotFoundError as error:
    print(type(error).__name__, str(error).splitlines()[-1])
