"""plots to PNG, SVG and PDF, with fonts, styles and colour maps that are data files; mathematical text."""

import hashlib
import io
import os

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.font_manager as fonts
import matplotlib.pyplot as plt
import numpy as np

mpl.rcParams["svg.hashsalt"] = "fixed"
print(os.path.basename(fonts.findfont("DejaVu Sans")), "ggplot" in plt.style.available, len(mpl.colormaps) > 80)
with plt.style.context("ggplot"):
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.plot(np.linspace(0, 6), np.sin(np.linspace(0, 6)), label=r"$\sin\frac{\alpha}{2}$")
    axes.legend()
    for kind, metadata in (
        ("png", {"Software": None}),
        ("svg", {"Date": None, "Creator": None}),
        ("pdf", {"CreationDate": None}),
    ):
        stream = io.BytesIO()
        figure.savefig(stream, format=kind, metadata=metadata)
        print(kind, hashlib.sha256(stream.getvalue()).hexdigest()[:12])
print(os.path.isdir(mpl.get_data_path()), os.path.basename(mpl.matplotlib_fname()))
print(plt.imread(os.path.join(mpl.get_data_path(), "images", "matplotlib.png")).shape)
figure = plt.figure()
figure.add_subplot(projection="3d").plot_surface(*np.meshgrid(range(3), range(3)), np.eye(3))
stream = io.BytesIO()
figure.savefig(stream, format="rgba")
print(hashlib.sha256(stream.getvalue()).hexdigest()[:12])
