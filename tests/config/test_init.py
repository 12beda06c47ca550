"""The first configuration: it loads, it is safe, and it overwrites nothing."""

import stat
from pathlib import Path

import pytest

from arietta.config.check import check
from arietta.config.conf import ConfigError
from arietta.config.init import write_initial
from arietta.config.safety import weakness
from arietta.config.tree import load


def test_a_new_set_checks_clean_and_listens_on_loopback(tmp_path: Path) -> None:
    written = write_initial(tmp_path / "etc")
    assert check(tmp_path / "etc") == []
    config = load(tmp_path / "etc")
    assert (config.http.bindaddr, config.http.bindport) == ("127.0.0.1", 8088)
    assert {str(transport.bind) for transport in config.pjsip.transports.values()} == {"127.0.0.1:5060"}
    assert config.ari.users["asterisk"].password == written.ari_password
    assert config.pjsip.auths["1001"].password == written.phone_password
    assert config.pjsip.endpoints["1001"].allow == ("ulaw", "alaw")
    steps = [option.value for option in config.extensions.contexts[0].options]
    assert steps[:4] == ["1000,1,NoOp()", "n,Answer()", "n,Stasis(hello-world)", "n,Hangup()"]


def test_passwords_are_strong_different_and_never_the_same_again(tmp_path: Path) -> None:
    first, second = write_initial(tmp_path / "a"), write_initial(tmp_path / "b")
    made = {first.ari_password, first.phone_password, second.ari_password, second.phone_password}
    assert len(made) == 4
    assert all(len(password) >= 20 and not weakness("asterisk", password) for password in made)


def test_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    written = write_initial(tmp_path / "etc")
    assert written.files == tuple(sorted(written.files, key=written.files.index))
    assert {stat.S_IMODE((tmp_path / "etc" / name).stat().st_mode) for name in written.files} == {0o600}


def test_what_exists_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ari.conf").write_text("mine\n")
    (tmp_path / "rtp.conf").write_text("mine too\n")
    with pytest.raises(ConfigError) as caught:
        write_initial(tmp_path)
    assert list(map(str, caught.value.problems)) == [
        f"{tmp_path}/ari.conf: exists already and is not overwritten",
        f"{tmp_path}/rtp.conf: exists already and is not overwritten",
    ]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ari.conf", "rtp.conf"]
    assert (tmp_path / "ari.conf").read_text() == "mine\n"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_initial(tmp_path / "file" / "etc")


def test_every_setting_stands_under_its_sentence(tmp_path: Path) -> None:
    write_initial(tmp_path)
    text = (tmp_path / "http.conf").read_text()
    assert "; TCP port to listen on.\nbindport=8088\n" in text
    assert "; Most connections at a time.\n;sessionlimit=100\n" in text
