"""The pytest plugin, used as a stranger's test suite uses it."""

from __future__ import annotations

import pytest

from arietta.testing import plugin

pytest_plugins = "pytester"


@pytest.fixture
def run(pytester):
    """Run a test file with the plugin."""

    def run(text: str) -> pytest.RunResult:
        pytester.makepyfile(text)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", plugin.__name__)

    return run


def test_the_fixtures_do_what_they_say(run):
    result = run(
        """
        import asyncio
        import pytest

        async def test_two_phones(phone, loop, clock, network):
            bob = await phone("10.0.0.3", 5060)
            alice = await phone("10.0.0.2", server=("10.0.0.3", 5060))
            call = await alice.invite("1000")
            (await bob.ringing()).answer()
            await call.answered()
            before = clock.elapsed
            await asyncio.sleep(60)
            assert clock.elapsed == before + 60
            await call.hang_up()
            assert network.record

        def test_in_steps(loop, phone):
            one = loop.run(phone("10.0.0.2", 5060))
            two = loop.run(phone("10.0.0.3", server=("10.0.0.2", 5060)))
            assert loop.run(two.options()).status == 200

        @pytest.mark.seed(7)
        async def test_seed(network):
            assert network.seed == 7

        async def test_ladder(ladder, phone):
            one = await phone("10.0.0.2", 5060)
            two = await phone("10.0.0.3", server=("10.0.0.2", 5060))
            await two.options()
            assert "OPTIONS" in ladder.render()

        class Server:
            def __init__(self, folder):
                self.files = {path.name: path.read_text() for path in folder.iterdir()}
                self.stopped = False

            async def stop(self):
                await asyncio.sleep(1)
                self.stopped = True

        @pytest.fixture
        def start_server():
            async def start(folder):
                await asyncio.sleep(0.1)
                return Server(folder)
            return start

        async def test_a_switch_is_started_with_its_files_and_stopped(switch):
            async with switch({"http.conf": "[general]\\n"}) as server:
                assert server.files == {"http.conf": "[general]\\n"}
            assert server.stopped
            async with switch({}) as other:
                assert other.files == {}
        """
    )
    result.assert_outcomes(passed=5)


def test_a_failure_shows_its_ladder_and_what_the_loop_met(run):
    result = run(
        """
        async def test_nobody_answers(phone):
            bob = await phone("10.0.0.3", 5060)
            alice = await phone("10.0.0.2", server=("10.0.0.3", 5060))
            call = await alice.invite("1000")
            await call.expect(180, within=3)

        def test_quiet(loop):
            loop.call_later(1, lambda: 1 // 0)
            loop.advance(2)
        """
    )
    result.assert_outcomes(failed=1, passed=1, errors=1)
    result.stdout.fnmatch_lines(["*1 failures on the loop*ZeroDivisionError*"])
    result.stdout.fnmatch_lines(["*ladder of the virtual network*", "*INVITE 1000*", "*100 Trying*"])
