"""German texts of box 7, the live session."""

from __future__ import annotations

TEXTS = {
    "Listen": "Empfangen",
    "Protocol": "Protokoll",
    "UDP": "UDP",
    "WebSocket": "WebSocket",
    "Port": "Port",
    "Move Characters": "Charaktere bewegen",
    "Moved too: {:s}": "Bewegt sich mit: {:s}",
    "{:s} follows when the recording stops: {:s}": "{:s} folgt, wenn die Aufzeichnung endet: {:s}",
    "its motion was changed": "seine Bewegung wurde geändert",
    "Send On by VMC": "Per VMC weitergeben",
    "VMC Port": "Port für VMC",
    "Record": "Aufzeichnen",
    "Stop": "Beenden",
    "Listening on {:s}": "Empfang an {:s}",
    "Waiting for points": "Warten auf Punkte",
    "The sender has stopped; it may go on": "Der Sender schweigt; er kann weitermachen",
    "{:s}, {:.0f} ms from message to pose": "{:s}, {:.0f} ms von der Nachricht bis zur Pose",
    "Frames: {:d}": "Bilder: {:d}",
    "Dropped: {:d}, refused: {:d}": "Übersprungen: {:d}, abgewiesen: {:d}",
    "Recorded frames: {:d}": "Aufgezeichnete Bilder: {:d}",
    "Another scene is shown; listening has ended": "Eine andere Szene ist zu sehen; der Empfang ist beendet",
    "The live figure was removed; listening has ended": "Die Figur wurde entfernt; der Empfang ist beendet",
    "The recording was saved as {:s}; Import AMASS Motion opens it": "Die Aufzeichnung liegt in {:s}; AMASS-Bewegung "
    "importieren öffnet sie",
    "The recording could not be saved: {:s}": "Die Aufzeichnung konnte nicht gesichert werden: {:s}",
}
