"""The engine in C: the media interface on threads of its own, without the interpreter's lock."""
