"""Retarget a motion to a character with any skeleton: map its bones, align its rest pose, solve all frames at once.

Data flow::

    Rig (a character's armature at rest)  ->  BoneMap (which bone plays which role)
    Motion (SMPL), or ArmatureMotion (any armature) with its Rig and BoneMap  ->  RetargetSource
    retarget(RetargetSource, Rig, BoneMap, RetargetOptions)  ->  RetargetedMotion

Only joint positions and the skin count: bone axes, rolls and names drop out of the formulas. NumPy only.

Convention, as everywhere in the core: metres, Y up, right-handed, world space.
"""
