"""Screen the keypoints before the fit: label swaps and outliers."""
