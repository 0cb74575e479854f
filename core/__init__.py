"""From tracks of 3D keypoints to SMPL motion. Needs NumPy alone; never imports bpy, nor torch unless asked for."""
