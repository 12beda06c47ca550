"""What every folder of tests shares."""

pytest_plugins = ["arietta.testing.plugin"]
