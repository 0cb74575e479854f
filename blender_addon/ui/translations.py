"""Translations of the panels' texts.

Blender translates every label and tooltip itself; format strings are translated before their values are inserted.
"""

from __future__ import annotations

import bpy

CLASSES = ()

CONTEXT = "SMPLify"
"""Translation context for texts that Blender would otherwise translate in another sense, such as Fit."""

_GERMAN = {
    "1. Track": "1. Aufnahme",
    "2. Body": "2. Körper",
    "3. Fit": "3. Anpassung",
    "4. Result": "4. Ergebnis",
    "5. Character": "5. Charakter",
    "6. Export": "6. Export",
    "Why": "Gründe",
    "Open Keypoints": "Punkte öffnen",
    "3D Keypoints for SMPLify (.trc, .c3d, .csv, .json ...)": "3D-Punkte für SMPLify (.trc, .c3d, .csv, .json ...)",
    "Or drop a file on the viewport": "Oder eine Datei auf die Ansicht ziehen",
    "Keypoints": "Punkte",
    "Read": "Lesen",
    "Read Again": "Neu lesen",
    "Reading...": "Wird gelesen ...",
    "Reading": "Lesen",
    "Read {:s}: {:d} frames, people: {:d}": "{:s} gelesen: {:d} Bilder, Personen: {:d}",
    "Set it here:": "Hier angeben:",
    "Auto": "Automatisch",
    "Layout": "Anordnung",
    "Units": "Einheit",
    "Up Axis": "Achse nach oben",
    "Frame Rate": "Bildrate",
    "Frames per Second": "Bilder pro Sekunde",
    "Handedness": "Händigkeit",
    "Swap Left and Right": "Links und rechts tauschen",
    "Person": "Person",
    "Everyone": "Alle",
    "{:d} people": "{:d} Personen",
    "There is no person {!r} in this file": "Eine Person {!r} gibt es in dieser Datei nicht",
    "Preview": "Vorschau",
    "View Preview": "Vorschau ansehen",
    "{:d} frames at {:g} fps, {:.2f} s": "{:d} Bilder mit {:g} fps, {:.2f} s",
    "{:.2f} m tall, by the bones": "{:.2f} m groß, nach den Knochen",
    "Without a place in the room: the hips stay where they are": "Ohne Ort im Raum: die Hüfte bleibt, wo sie ist",
    "{:d} points of the file are used": "{:d} Punkte der Datei werden benutzt",
    "Not in the file: {:s}": "Nicht in der Datei: {:s}",
    "Not used: {:s}": "Nicht benutzt: {:s}",
    "Missing at times: {:s}": "Fehlt zeitweise: {:s}",
    "No point is missing in any frame": "In keinem Bild fehlt ein Punkt",
    "Free Body": "Freier Körper",
    "Licensed SMPL": "SMPL mit Lizenz",
    "Body File": "Körperdatei",
    "Gender": "Geschlecht",
    "As File": "Wie Datei",
    "Neutral": "Neutral",
    "Female": "Weiblich",
    "Male": "Männlich",
    "Shape": "Form",
    "From the Track": "Aus der Aufnahme",
    "From a File": "Aus einer Datei",
    "From a Figure": "Von einer Figur",
    "Betas File": "Betas-Datei",
    "Make a figure active": "Eine Figur aktivieren",
    "Open SMPL's Page": "Seite von SMPL öffnen",
    "SMPL needs a licence of your own: register at its page, download SMPL for Python, and choose one of its .pkl or "
    ".npz files here.": "SMPL braucht eine eigene Lizenz: auf seiner Seite anmelden, SMPL for Python herunterladen und "
    "hier eine seiner .pkl- oder .npz-Dateien wählen.",
    "The file is read in place and never copied.": "Die Datei wird gelesen, wo sie liegt, und nie kopiert.",
    "There is no file at {:s}": "Bei {:s} ist keine Datei",
    "Remembered: {:s}": "Gemerkt: {:s}",
    "Fit": "Anpassen",
    "Mode": "Art",
    "Whole Clip": "Ganze Aufnahme",
    "Frame by Frame": "Bild für Bild",
    "Quality": "Güte",
    "Fast": "Schnell",
    "Balanced": "Ausgewogen",
    "Best": "Beste",
    "Options": "Optionen",
    "Smoothing": "Glättung",
    "Motion Rate": "Zielbildrate",
    "Doubts about the track: {:d}, see box 1.": "Zweifel an der Aufnahme: {:d}, siehe Box 1.",
    "Scene Time": "Szenenzeit",
    "Keep Scene's": "Die der Szene",
    "Take Clip's": "Die der Aufnahme",
    "Begin": "Beginn",
    "First Frame": "Erstes Bild",
    "At Frame": "Bei Bild",
    "Frame": "Bild",
    "The scene now has {:g} fps instead of {:g}.": "Die Szene hat jetzt {:g} fps statt {:g}.",
    "The scene keeps its {:g} fps; the motion had {:g}.": "Die Szene behält ihre {:g} fps; die Bewegung hatte {:g}.",
    "Its range is now {:d}–{:d} instead of {:d}–{:d}.": "Ihr Bereich ist jetzt {:d}–{:d} statt {:d}–{:d}.",
    "Its range {:d}–{:d} was kept; the motion goes on to {:d}.": "Ihr Bereich {:d}–{:d} blieb; die Bewegung geht bis "
    "{:d}.",
    "Stand on Floor": "Auf dem Boden",
    "Device": "Gerät",
    "Threads": "Threads",
    "PyTorch finds no such GPU": "PyTorch findet keine solche GPU",
    "PyTorch is not set up yet, or was not checked; see the preferences": "PyTorch ist noch nicht eingerichtet oder "
    "nicht geprüft; siehe die Einstellungen",
    "Starting the fitting process": "Prozess für die Anpassung starten",
    "Waiting for another fit": "Auf eine andere Anpassung warten",
    "Cancel": "Abbrechen",
    "Cancelling...": "Wird abgebrochen ...",
    "Done; leave Edit or Pose Mode to see it": "Fertig; zum Ansehen den Editier- oder Posenmodus verlassen",
    "Cancelled; nothing was changed": "Abgebrochen; nichts wurde geändert",
    "Loading the body": "Körper laden",
    "Smoothing the keypoints": "Punkte glätten",
    "Finding the body shape": "Körperform finden",
    "Fitting the poses": "Haltungen anpassen",
    "Refining the poses over time": "Haltungen zeitlich verfeinern",
    "Measuring the errors": "Fehler messen",
    "Finding the floor": "Boden suchen",
    "Fitting frame by frame": "Bild für Bild anpassen",
    "{:s}, about {:s} left": "{:s}, noch etwa {:s}",
    "SMPLify: {:s} ({:.0%}) | Esc cancels": "SMPLify: {:s} ({:.0%}) | Esc bricht ab",
    "Added {:s}: {:d} frames, mean keypoint error {:.1f} mm": "{:s} hinzugefügt: {:d} Bilder, mittlerer Fehler der "
    "Punkte {:.1f} mm",
}
"""German by English text."""

_GERMAN_PREFERENCES = {
    "SMPL Body": "SMPL-Körper",
    "Licensed SMPL File": "Lizenzierte SMPL-Datei",
    "There is no file at this place": "Dort ist keine Datei",
    "The extension includes a free body. SMPL's own bodies need a licence of your own: register at its page, download "
    "SMPL for Python, and choose one of its .pkl or .npz files here.": "Die Erweiterung enthält einen freien "
    "Körper. SMPLs eigene Körper brauchen Ihre eigene Lizenz: auf der Seite anmelden, SMPL für Python herunterladen "
    "und hier eine der .pkl- oder .npz-Dateien wählen.",
    "The file is read in place. It is never copied, and no code in it is run.": "Die Datei wird gelesen, wo sie liegt. "
    "Sie wird nie kopiert, und kein Code darin wird ausgeführt.",
    "Open SMPL's Page": "SMPLs Seite öffnen",
    "GPU Acceleration": "GPU-Beschleunigung",
    "PyTorch in": "PyTorch in",
    "Python": "Python",
    "Blender's Python": "Blenders Python",
    "A Python of Mine": "Eigenes Python",
    "Private Environment": "Private Umgebung",
    "Blender's own Python has no PyTorch: fits run on the processor, with NumPy.": "Blenders eigenes Python hat kein "
    "PyTorch: Angepasst wird auf dem Prozessor, mit NumPy.",
    "For fits on a GPU choose another place above. Nothing is installed into Blender's Python.": "Für Anpassungen auf "
    "einer GPU oben einen anderen Ort wählen. In Blenders Python wird nichts installiert.",
    "Choose the Python of an environment that has PyTorch and NumPy.": "Das Python einer Umgebung mit PyTorch und "
    "NumPy wählen.",
    "Not checked yet.": "Noch nicht geprüft.",
    "Check": "Prüfen",
    "It finds no GPU: this will not be faster than NumPy.": "Es findet keine GPU: Das wird nicht schneller als NumPy.",
    "PyTorch for: {device}": "PyTorch für: {device}",
    "NVIDIA GPU": "NVIDIA-GPU",
    "Apple GPU": "Apple-GPU",
    "processor": "Prozessor",
    "About {download} to download, {disk} on the disk, in a folder of the extension's own.": "Etwa {download} werden "
    "heruntergeladen, {disk} auf der Platte belegt, in einem eigenen Ordner der Erweiterung.",
    "No NVIDIA GPU was found: this will not be faster than NumPy.": "Es wurde keine NVIDIA-GPU gefunden: Das wird "
    "nicht schneller als NumPy.",
    "Blender may not go online: allow it under System > Network.": "Blender darf nicht ins Netz: unter System > "
    "Netzwerk erlauben.",
    "Install PyTorch": "PyTorch installieren",
    "More Options": "Weitere Optionen",
    "Made with": "Erstellt mit",
    "Package Index": "Paketindex",
    "The Python that the environment was made with is gone: install anew.": "Das Python, mit dem die Umgebung erstellt "
    "wurde, ist weg: neu installieren.",
    "Looking at that Python": "Python ansehen",
    "Making the environment": "Umgebung erstellen",
    "Renewing pip": "pip erneuern",
    "Asking for the packages": "Pakete erfragen",
    "Unpacking": "Auspacken",
    "Trying PyTorch": "PyTorch ausprobieren",
    "Removing the environment": "Umgebung entfernen",
    "Remove": "Entfernen",
    "Cancelling": "Abbrechen",
}
"""German texts of the preferences."""

_GERMAN_RESULT = {
    "No figure is active": "Keine Figur ist aktiv",
    "The active armature was not fitted here": "Die aktive Armatur wurde nicht hier angepasst",
    "Import AMASS Motion": "AMASS-Bewegung importieren",
    "AMASS Motion for SMPLify (.npz)": "AMASS-Bewegung für SMPLify (.npz)",
    "Stature {:.2f} m": "Körpergröße {:.2f} m",
    "Mean error {:.1f} mm": "Mittlerer Fehler {:.1f} mm",
    "Points: {:.1f} mm white, {:.1f} smooth, {:.1f} constant": "Punkte: {:.1f} mm weiß, {:.1f} glatt, {:.1f} konstant",
    "Worst {:.1f} mm at frame {}": "Größter {:.1f} mm in Bild {}",
    "Go to Worst Frame": "Zum größten Fehler",
    "No doubtful stretches": "Keine zweifelhaften Stellen",
    "Doubtful stretches: {}": "Zweifelhafte Stellen: {}",
    "Stretch": "Stelle",
    "Go to Doubtful Stretch": "Zu zweifelhafter Stelle",
    "Click one to go there": "Zum Anspringen anklicken",
    "left arm": "linker Arm",
    "right arm": "rechter Arm",
    "left leg": "linkes Bein",
    "right leg": "rechtes Bein",
    "head": "Kopf",
    "person": "Person",
    "not seen: kept in motion between what was seen": "nicht gesehen: zwischen Gesehenem weiterbewegt",
    "nobody seen": "niemand gesehen",
    "points thrown out, or out of the body's reach": "Punkte verworfen oder außer Reichweite des Körpers",
    "left and right were swapped, and have been corrected": "links und rechts waren vertauscht und sind korrigiert",
    "the points turn it farther than joints go": "von den Punkten weiter gedreht, als Gelenke gehen",
    "Error Strip": "Fehlerband",
    "Colour by Error": "Fehler färben",
    "Red at (mm)": "Rot ab (mm)",
    "Error {:s}; the top is {:.0f} mm": "Fehler {:s}; oben sind {:.0f} mm",
    "Adjust Without Fitting": "Nachstellen ohne Anpassung",
    "Foot Lock": "Fußhaltung",
    "Ground": "Boden",
    "As Imported": "Wie importiert",
    "Feet on Floor": "Füße am Boden",
    "Height": "Höhe",
    "Root Motion": "Weg",
    "World": "Welt",
    "In Place": "Auf der Stelle",
    "Treadmill": "Laufband",
    "On Ground": "Auf dem Boden",
    "The keys were edited since they were written. Choose before changing more:": "Die Keys wurden seither bearbeitet. "
    "Vor weiteren Änderungen wählen:",
    "Keep My Edits": "Bearbeitung behalten",
    "Overwrite My Edits": "Bearbeitung überschreiben",
    "Same for Selected": "Gleiches für Auswahl",
    "Back to the Fit": "Zurück zur Anpassung",
    "Bones to Shape": "Knochen zur Form",
    "Fit Again": "Erneut anpassen",
    "First": "Erstes",
    "Last": "Letztes",
    "Fitted frames {:d} to {:d} of {:s} again": "Bilder {:d} bis {:d} von {:s} erneut angepasst",
    "Moved To": "Jetzt bei",
    "Take Preview Range": "Vorschaubereich nehmen",
    "Fit Range Again": "Bereich neu anpassen",
    "What It Writes": "Was geschrieben wird",
    "For": "Für",
    "Format": "Format",
    "Figures": "Figuren",
    "Active": "Aktive",
    "Selected": "Ausgewählte",
    "Bone Names": "Knochennamen",
    "Root Bone": "Wurzelknochen",
    "One File Each": "Je eine Datei",
    "Export Figures": "Figuren exportieren",
    "SMPLify Figures (.blend, .fbx, .glb, .bvh ...)": "SMPLify-Figuren (.blend, .fbx, .glb, .bvh ...)",
}
"""German texts of boxes 4 and 6."""

_GERMAN_CHARACTER = {
    "Open Character": "Charakter öffnen",
    "Choose the armature of your character, or open its file": "Die Armatur des Charakters wählen oder seine Datei "
    "öffnen",
    "Character": "Charakter",
    "Motion Of": "Bewegung von",
    "{:s} skeleton": "Skelett von {:s}",
    "Skeleton of no known kind": "Skelett unbekannter Art",
    "T-pose": "T-Pose",
    "A-pose": "A-Pose",
    "arms down": "Arme hängen",
    "unusual rest pose": "ungewöhnliche Ruhepose",
    "{:d} of {:d} bones found": "{:d} von {:d} Knochen gefunden",
    "{:d} to check": "{:d} zu prüfen",
    "{:d} missing": "{:d} fehlen",
    "Bones": "Knochen",
    "Bone": "Knochen",
    "Detect": "Erkennen",
    "Detect Bones": "Knochen erkennen",
    "Save JSON": "JSON speichern",
    "Save Bones": "Knochenliste speichern",
    "Load JSON": "JSON laden",
    "Load Bones": "Knochenliste laden",
    "Mirror Changes": "Änderungen spiegeln",
    "Colour the Bones": "Knochen färben",
    "Body": "Körper",
    "Left": "Links",
    "Right": "Rechts",
    "Hips": "Hüfte",
    "Spine": "Wirbelsäule",
    "Neck": "Hals",
    "Head": "Kopf",
    "Clavicle": "Schlüsselbein",
    "Upper Arm": "Oberarm",
    "Forearm": "Unterarm",
    "Hand": "Hand",
    "Thigh": "Oberschenkel",
    "Shin": "Unterschenkel",
    "Foot": "Fuß",
    "Toe": "Zehen",
    "Apply": "Anwenden",
    "Apply Again": "Erneut anwenden",
    "Apply with bones that are in doubt?": "Mit zweifelhaften Knochen anwenden?",
    "Remove Motion": "Bewegung entfernen",
    "Remove Motion from Character": "Bewegung vom Charakter entfernen",
    "Put Motion on Character": "Bewegung auf Charakter übertragen",
    "Its action {:s} is kept": "Seine Aktion {:s} bleibt erhalten",
    "Feet slide {:.1f} mm in a contact, in the figure {:.1f} mm": "Füße rutschen {:.1f} mm je Kontakt, bei der Figur "
    "{:.1f} mm",
    "Lowest point of the feet {:.1f} mm": "Tiefster Punkt der Füße {:.1f} mm",
    "Hands keep {:d} of {:d} contacts": "Hände halten {:d} von {:d} Berührungen",
    "Frames out of reach: {:d}": "Bilder außer Reichweite: {:d}",
    "Export Character": "Charakter exportieren",
    "Go to Frame out of Reach": "Zu Bild außer Reichweite",
    "Feet": "Füße",
    "Hands": "Hände",
    "Size of Steps": "Schrittgröße",
    "Leg Length": "Beinlänge",
    "Same Distance": "Gleicher Weg",
    "Factor": "Faktor",
    "Step Factor": "Schrittfaktor",
    "Rest Pose": "Ruhepose",
    "Automatic": "Automatisch",
    "This Frame's Pose": "Pose dieses Bildes",
    "Fingers": "Finger",
    "Leave": "Lassen",
    "Relaxed": "Entspannt",
    "Path Carried By": "Weg trägt",
    "Object": "Objekt",
}
"""German texts of box 5."""

LANGUAGES: dict[str, dict[str, str]] = {"de": _GERMAN | _GERMAN_RESULT | _GERMAN_CHARACTER | _GERMAN_PREFERENCES}
"""Translations by language; "de" applies to German in every country."""


def _by_context(texts: dict[str, str]) -> dict[tuple[str, str], str]:
    """Return *texts* in Blender's format, for the default, the operator and our own context."""
    contexts = (bpy.app.translations.contexts.default, bpy.app.translations.contexts.operator_default, CONTEXT)
    return {(context, english): text for english, text in texts.items() for context in contexts}


def register() -> None:
    """Register the translations."""
    bpy.app.translations.register(__name__, {name: _by_context(texts) for name, texts in LANGUAGES.items()})


def unregister() -> None:
    """Unregister the translations."""
    bpy.app.translations.unregister(__name__)
