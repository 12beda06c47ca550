"""A benchmark of the media engine alone: one process is the engine, another one its phones. See ../bench_media.py."""
