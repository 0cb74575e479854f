"""Points that come in over a socket, fitted frame by frame, and sending them. docs/live.md describes the messages."""
