"""Operators of box 3: fit a figure to each person of the track, or cancel the fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..background.fit_session import FITS
from ..background.modal_operator import RunsFit
from ..background.task import Progress
from ..figure.scene_state import select_alone
from ..figure.scene_time import SceneTime
from ..result.flag_list import fill
from ..track.session import TRACKS, TrackState
from ..track.settings import track_request
from ..ui.box_errors import Box
from ..ui.message_terms import in_panel_words
from ..ui.modes import in_object_mode
from ..ui.operator_mixin import OperatorMixin
from ..ui.translations import CONTEXT
from .settings import figure_options, fit_job, takes_job

if TYPE_CHECKING:
    from ..core_access import FittedPerson
    from ..figure.create import Figure
    from .takes import FittedTakes


class SMPLIFY_OT_fit(RunsFit, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Fit an SMPL figure to each chosen person of the track, and add it to the scene, animated"""

    bl_idname = "smplify.fit"
    bl_label = "Fit"
    bl_translation_context = CONTEXT
    bl_options = {"UNDO"}
    box = Box.FIT

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a track can be fitted and figures can be added now."""
        request = track_request(context.scene.smplify.track)
        if FITS.busy:
            cls.poll_message_set("A fit is running")
            return False
        if not request.path:
            cls.poll_message_set("Choose a keypoint file in box 1 first")
            return False
        if TRACKS.state(request) is TrackState.BAD_FILE and not context.scene.smplify.track.takes:
            cls.poll_message_set("Box 1 says why the keypoint file cannot be used")
            return False
        return in_object_mode(cls, context)

    def prepare(self, context: bpy.types.Context) -> Callable[[Progress], list[FittedPerson] | FittedTakes]:
        """Return the fit set up in the scene."""
        settings = context.scene.smplify
        self._request, self._options = track_request(settings.track), figure_options(context.scene)
        return takes_job(context).run if settings.track.takes else fit_job(context).run

    def finish(self, context: bpy.types.Context, result: list[FittedPerson] | FittedTakes) -> str:
        """Add the figures and select them, as Blender's importers do."""
        return self._finish_one(context, result) if isinstance(result, list) else self._finish_takes(context, result)

    def _finish_takes(self, context: bpy.types.Context, done: FittedTakes) -> str:
        from .add_takes import add_fitted, doubts, refusals, what_was_added

        before = SceneTime.of(context.scene)
        figures = add_fitted(done, context.scene, self._options)
        select_alone([figure.armature for figure in figures])
        refused = refusals(done)
        if refused:
            self.report({"WARNING"}, refused)
        said = before.changes(context.scene, figures[0].own_fps, max(figure.last_frame for figure in figures))
        return " ".join(filter(None, [what_was_added(done, figures), refused, *said, *doubts(done)]))

    def _finish_one(self, context: bpy.types.Context, result: list[FittedPerson]) -> str:
        from ..result.show import plant, show

        before = SceneTime.of(context.scene)
        figures = show(result, self._request.name, self._options)
        plant(figures, result)
        for figure in figures:
            fill(figure.armature)
        select_alone([figure.armature for figure in figures])
        if TRACKS.request == self._request:
            TRACKS.lifts_m = {
                item.source.number: _lift(item, figure) for item, figure in zip(result, figures, strict=True)
            }
        added = _added(result, ", ".join(figure.armature.name for figure in figures))
        last = max(figure.last_frame for figure in figures)
        said = before.changes(context.scene, figures[0].own_fps, last)
        if self._options.as_recorded:
            said.insert(0, iface_("It begins at frame {:d}.").format(figures[0].first_frame))
        return " ".join([f"{added}.", *said, *self._doubts(result)])

    def _is_in_box_1(self) -> bool:
        """Return whether box 1 shows the track that was fitted."""
        return TRACKS.state(self._request) is TrackState.READ

    def _doubts(self, result: list[FittedPerson]) -> list[str]:
        """Return the doubts about the tracks that were fitted, or where to read them."""
        doubts = list(dict.fromkeys(in_panel_words(doubt) for item in result for doubt in item.track.doubts))
        if doubts and self._is_in_box_1():
            return [iface_("Doubts about the track: {:d}, see box 1.").format(len(doubts))]
        return [f"{doubt.rstrip('.')}." for doubt in doubts]


def _added(result: list[FittedPerson], names: str) -> str:
    """Return what was added: figures with the error of their fit, or as another tool solved them."""
    num_frames, tool = result[0].track.num_frames, result[0].solved_by
    if tool:
        return iface_("Added {:s}: {:d} frames, as {:s} solved them").format(names, num_frames, tool)
    errors = [item.report.mean_error_mm for item in result]
    text = iface_("Added {:s}: {:d} frames, mean keypoint error {:.1f} mm")
    return text.format(names, num_frames, sum(errors) / len(errors))


def _lift(item: FittedPerson, figure: Figure) -> float:
    """Return the vertical offset of a figure to stand on the floor, metres."""
    return float(figure.motion.trans[0, 1] - item.motion.trans[0, 1])


class SMPLIFY_OT_cancel_fit(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """End the running fit; nothing is changed"""

    bl_idname = "smplify.cancel_fit"
    bl_label = "Cancel"
    box = Box.FIT

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a fit is running."""
        return FITS.busy

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Request the end of the fit; the operator that runs it does the rest."""
        return self.done(FITS.cancel)


CLASSES = (SMPLIFY_OT_fit, SMPLIFY_OT_cancel_fit)
