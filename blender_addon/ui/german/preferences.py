"""German texts of the preferences."""

from __future__ import annotations

TEXTS = {
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
    "The Python of this environment is gone: install it again.": "Das Python, mit dem die Umgebung erstellt "
    "wurde, ist weg: neu installieren.",
    "Checking that Python": "Python prüfen",
    "Creating the environment": "Umgebung erstellen",
    "Updating pip": "pip aktualisieren",
    "Resolving the packages": "Pakete ermitteln",
    "Unpacking": "Auspacken",
    "Testing PyTorch": "PyTorch testen",
    "Removing the environment": "Umgebung entfernen",
    "Remove": "Entfernen",
    "Cancelling": "Abbrechen",
    "Cancelled": "Abgebrochen",
    "GPU Acceleration: done": "GPU-Beschleunigung: fertig",
    "Announce": "Melden",
}
