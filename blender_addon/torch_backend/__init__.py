"""Fits in another Python that has PyTorch: one chosen by the user, or a private environment of the add-on.

Importing the package imports nothing. A fit is sent to a process of that Python over its standard input and returned
over its standard output, so that a crash there becomes an error message here. Blender's own Python is never changed.
"""
