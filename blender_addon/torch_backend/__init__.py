"""The fit in another Python: one that has PyTorch, chosen by the user or made for the add-on.

Nothing here imports bpy, and importing the package imports nothing. A fit is sent to a process of that Python over its
standard input and comes back over its standard output, so that a crash there is an error message here. Blender's own
Python is never changed.
"""
