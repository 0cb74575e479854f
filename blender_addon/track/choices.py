"""The menu items of box 1, as Blender's enums expect them. Needs neither Blender nor the core.

Blender stores a choice as its index in the list, so new items must be appended.
"""

from __future__ import annotations

from .request import AUTO

CUSTOM = "CUSTOM"

LAYOUTS = (
    (
        AUTO,
        "Auto",
        "Stated by the file, or detected from the point names, or from the number of points and the anatomy",
    ),
    ("body25", "OpenPose BODY25", "25 points, as of OpenPose and EasyMocap"),
    ("body25_hands", "BODY25 and hands (EasyMocap)", "67 points"),
    ("coco17", "COCO 17", "17 points, as of many detectors and of AIST++"),
    ("halpe26", "HALPE 26 (Pose2Sim, RTMPose)", "26 points with feet"),
    ("wholebody133", "COCO-WholeBody 133", "133 points: body, feet, face, hands"),
    ("h36m17", "Human3.6M 17 (VideoPose3D)", "17 points of video lifters, as of VideoPose3D and its family"),
    ("mediapipe33", "MediaPipe pose 33", "33 points"),
    ("mediapipe75", "MediaPipe 75 (FreeMoCap 1)", "75 points: pose and hands"),
    ("rtmpose_body", "RTMPose body of FreeMoCap 2", "Named points of FreeMoCap 2"),
    ("smpl22", "SMPL 22 body joints", "SMPL's own joints, without hands"),
    ("smpl24", "SMPL 24 joints", "SMPL's own joints"),
    ("markers", "Optical markers", "Plug-in Gait, CMU and other marker sets; joint centres are estimated"),
    ("markers_hands", "Optical markers with fingers", "The same with markers on fingers"),
    ("mhr70", "MHR 70 (SAM 3D Body)", "70 points with fingers; the first 70 of 308 are the same"),
    ("panoptic19", "CMU Panoptic 19 (COCO 19)", "19 points of the CMU Panoptic Studio"),
    ("kinect25", "Kinect v2 25 (NTU RGB+D)", "25 joints"),
    ("kinect32", "Azure Kinect 32", "32 joints"),
    ("lsp14", "LSP 14", "14 points without a face"),
    ("humaneva15", "HumanEva 15", "15 points without a face"),
    ("mpii16", "MPII 16", "16 points without a face"),
    ("h36m32", "Human3.6M 32", "All joints of the data set"),
    ("mpi17", "MPI-INF-3DHP 17", "17 joints of the test set"),
    ("mpi28", "MPI-INF-3DHP 28", "All joints of the data set"),
    ("kit21", "KIT-ML 21", "21 joints"),
    ("smplh52", "SMPL-H 52 joints", "SMPL body joints, then the fingers"),
    ("smplx55", "SMPL-X 55 joints", "SMPL body joints, then jaw, eyes and fingers"),
    ("soma30", "SOMA 30 joints (Kimodo)", "30 joints"),
    ("soma77", "SOMA 77 joints (Kimodo, GEM-X)", "77 joints with fingers"),
    ("skeleton", "Animation skeleton 22", "Joints as Mixamo, Unity, Unreal, Xsens and Motive name them"),
    ("halpe136", "HALPE 136 (AlphaPose, Pose2Sim)", "136 points: body, feet, face, hands"),
    ("armature", "Bones of an armature", "Joints of BVH files and of characters, found by the roles of the bones"),
    ("armature_hands", "Bones of an armature with fingers", "The same with fingers"),
    ("named", "Points named by hand", "Any points of the body, under the names of box Point Names"),
)

UNITS = (
    (AUTO, "Auto", "Stated by the file, or the only unit that gives a person of human size"),
    ("m", "Metres", "The file's numbers are metres"),
    ("cm", "Centimetres", "The file's numbers are centimetres"),
    ("mm", "Millimetres", "The file's numbers are millimetres"),
    ("in", "Inches", "The file's numbers are inches"),
    ("ft", "Feet", "The file's numbers are feet"),
    ("cmu", "CMU", "The file's numbers are 56.44 mm, as in BVH files made of CMU's motion capture"),
    ("own", "Unknown", "The file's unit is unknown: the person is made 1.70 m tall, or as tall as given"),
)

UP_AXES = (
    (AUTO, "Auto", "Stated by the file, or detected as the axis along which the head is above the feet"),
    *((axis, axis, f"{axis} of the file points up") for axis in ("+X", "-X", "+Y", "-Y", "+Z", "-Z")),
)

FRAME_RATES = (
    (AUTO, "Auto", "Stated by the file; it is never guessed"),
    *(
        (rate, rate, f"{rate} fps")
        for rate in ("24", "25", "29.97", "30", "50", "59.94", "60", "90", "100", "120", "200", "240")
    ),
    (CUSTOM, "Custom", "The rate set below"),
)

HANDEDNESS = (
    (AUTO, "Auto", "Detected from the directions of toes, nose and knees; left-handed data are refused"),
    ("right", "Right", "The axes of the file are right-handed"),
    ("left", "Left", "The axes of the file are left-handed: mirror the data back"),
)
