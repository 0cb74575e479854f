"""Messages of the core in the panel's words."""

from __future__ import annotations

import pytest

from blender_addon.ui.message_terms import OPTION_NAMES, in_panel_words, settings_for
from core.errors import CoreError
from core.reading import ReadOptions, read_all
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.main_blender

OF_A_BATCH = {"join_where_present"}
"""Set by a batch itself, never by a user."""


def test_core_messages_name_panel_settings_instead_of_command_line_options():
    with pytest.raises(CoreError) as caught:
        read_all(REPOSITORY / "samples" / "walk_wrong_units.trc")
    message = in_panel_words(str(caught.value))
    assert "--units" in str(caught.value) and message.endswith("set Units")


def test_every_form_of_an_option_in_a_message_is_translated():
    assert in_panel_words("stated by the file; give --fps") == "stated by the file; set Frame Rate"
    assert in_panel_words("given by --up; it is") == "set in Up Axis; it is"
    assert in_panel_words("give --layout NAME with the one") == "set Layout with the one"
    assert in_panel_words("give --layout h36m17 or --layout coco17") == "set Layout h36m17 or Layout coco17"
    assert in_panel_words("give --handedness left for the first, --swap-sides for the second") == (
        "set Handedness left for the first, Swap Left and Right for the second"
    )
    assert in_panel_words("give another --layout: body25") == "set another Layout: body25"
    assert in_panel_words("-- nothing --upwards") == "-- nothing --upwards"


def test_setting_names_are_in_the_users_language():
    assert in_panel_words("give --units", {"Units": "Einheit"}.__getitem__) == "set Einheit"


def test_settings_are_listed_once_in_the_panels_order():
    assert settings_for(("swap_sides", "fps", "fps", "layout")) == ("layout", "frame_rate", "swap_sides")
    assert settings_for(("person",)) == settings_for(()) == ()


def test_every_reading_option_of_the_core_has_a_name():
    options = {field.replace("_", "-") for field in ReadOptions.__dataclass_fields__.keys() - OF_A_BATCH}
    assert options <= set(OPTION_NAMES)


def test_every_reading_option_except_person_and_names_has_a_setting():
    others = ReadOptions.__dataclass_fields__.keys() - {"person", "names"} - OF_A_BATCH
    assert len(settings_for(ReadOptions.__dataclass_fields__)) == len(others)
