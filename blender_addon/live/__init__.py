"""The Live box: a figure that follows the points which another program sends."""
