"""What type checkers take the public names from; at run time, `waiting.attribute` loads each at its first use."""

from _frozen_importlib import ModuleSpec as ModuleSpec
from typing import Any as Any

from .fetching.errors import BundleFetchError as BundleFetchError
from .fetching.fetch import fetch as fetch
from .inspection.bundle import Bundle as Bundle
from .inspection.bundle import open_bundle as open_bundle
from .mounting import Mount as Mount
from .mounting import load_module as load_module
from .mounting import mount as mount
from .packing.pack import pack as pack
from .packing.report import PackReport as PackReport
from .runtime.faults.kinds import BundleError as BundleError
from .runtime.faults.kinds import BundleWarning as BundleWarning
from .runtime.finder import BundleFinder as BundleFinder
from .runtime.hook import install as install
from .runtime.interpreter.events import TraceEvent as TraceEvent
from .runtime.interpreter.removing import uninstall as uninstall
from .runtime.interpreter.tracing import trace as trace
from .runtime.loaders import BundleLoader as BundleLoader
