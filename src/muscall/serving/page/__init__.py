"""The web page of `muscall serve`, in NiceGUI."""

from muscall.serving.page.layout import mount

__all__ = ["mount"]
