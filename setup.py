"""The one part of the package that is compiled; pyproject.toml says all the rest.

Where there is no C compiler it is left out, and `droptune.datasets.bulk` does the same in Python.
"""

from setuptools import Extension, setup

native = Extension("droptune.datasets.bulk._native", ["functions/droptune/datasets/bulk/_native.c"], optional=True)

setup(ext_modules=[native])
