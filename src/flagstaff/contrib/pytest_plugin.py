"""How do a project's own tests run with flags on, off and both?

Load it with `-p flagstaff.contrib.pytest_plugin`, or in `conftest.py`:
`pytest_plugins = ["flagstaff.contrib.pytest_plugin"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from flagstaff.sdk.overriding import open_clients, override_flag
from flagstaff.sdk.sources.memory import Spec

_FIXTURE = "flagstaff_marked"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--flagstaff-both`."""
    parser.getgroup("flagstaff").addoption(
        "--flagstaff-both",
        action="store_true",
        help="run every test marked with a flag twice: with the flag on and with it off",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Describe the markers."""
    config.addinivalue_line(
        "markers",
        "flag(name, on=True): run with the flag on or off; both ways with --flagstaff-both",
    )
    config.addinivalue_line(
        "markers", "undefined_flags: the test may ask for flags that nobody has defined"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a marked test once, or twice for each of its flags with `--flagstaff-both`."""
    marks = list(metafunc.definition.iter_markers("flag"))
    if not marks:
        return
    names: dict[str, bool] = {}
    for mark in marks:
        names.setdefault(mark.args[0], bool([*mark.args[1:], mark.kwargs.get("on", True)][0]))
    sets = [names]
    if metafunc.config.getoption("--flagstaff-both"):
        sets = [{}]
        for name in names:
            sets = [{**chosen, name: on} for chosen in sets for on in (True, False)]
    ids = [
        ",".join(f"{name}={'on' if on else 'off'}" for name, on in chosen.items())
        for chosen in sets
    ]
    metafunc.parametrize(_FIXTURE, sets, ids=ids, indirect=True)


@pytest.fixture(autouse=True)
def flagstaff_marked(request: pytest.FixtureRequest) -> Iterator[None]:
    """Turn the marked flags on or off for one test; do nothing for the others."""
    with ExitStack() as stack:
        for name, on in getattr(request, "param", {}).items():
            stack.enter_context(override_flag(name, on))
        yield


@pytest.fixture(name="override_flag")
def override_flag_fixture() -> Iterator[Callable[..., None]]:
    """Return `override_flag(name, spec)`, in force until the end of the test."""
    with ExitStack() as stack:

        def override(name: str, spec: Spec = True) -> None:  # noqa: FBT002 - as override_flag
            stack.enter_context(override_flag(name, spec))

        yield override


@pytest.fixture(autouse=True)
def flagstaff_no_undefined_flags(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that asked for a flag nobody has defined: it would answer "off" for ever."""
    before = {id(each): dict(each.readiness().unanswered) for each in open_clients()}
    yield
    if request.node.get_closest_marker("undefined_flags"):
        return
    asked = set()
    for each in open_clients():
        known, earlier = each.flags(), before.get(id(each), {})
        for name, count in each.readiness().unanswered.items():
            if name not in known and count > earlier.get(name, 0):
                asked.add(name)
    if asked:
        pytest.fail(f"nobody has defined the flags this test asked for: {', '.join(sorted(asked))}")
