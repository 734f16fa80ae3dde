import errno
import os
from pathlib import Path

import pytest

from flagstaff.definitions import Definitions, load_definitions
from flagstaff.errors import DefinitionError


def write(folder: Path, place: str, text: str | None = None) -> None:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = path.parent.name if path.parent != folder else "ops"
    path.write_text(text or f"name: {path.stem}\ntype: {kind}\ndefault_enabled: false\n")


def test_a_folder_of_types_is_read_below_and_beside_other_files(tmp_path):
    write(tmp_path, "ops/b.yml")
    write(tmp_path, "beta/a.yaml")
    write(tmp_path, "ee/wip/c.yml")
    write(tmp_path, "flat.yml")
    write(tmp_path, "ops/b.patch", "not YAML: [")
    write(tmp_path, "ops/.hidden.yml", "not YAML: [")
    flags = load_definitions(tmp_path)
    assert list(flags) == ["a", "b", "c", "flat"]
    assert flags["a"].path == tmp_path / "beta/a.yaml"
    assert flags["a"].type == "beta"
    assert flags.get("absent") is None
    assert len(flags) == 4
    assert repr(flags) == "Definitions(a, b, c, flat)"


def test_a_flat_file_needs_its_type(tmp_path):
    write(tmp_path, "flat.yml", "name: flat\ndefault_enabled: false\n")
    with pytest.raises(DefinitionError, match="has no `type`"):
        load_definitions(tmp_path)


def test_problems_of_all_files_are_one_error(tmp_path):
    write(tmp_path, "ops/a.yml", "[]")
    write(tmp_path, "ops/b.yml", "name: b\ntype: opps\ndefault_enabled: maybe\n")
    write(tmp_path, "ops/c.yml", " ")
    with pytest.raises(DefinitionError) as caught:
        load_definitions(tmp_path)
    assert [Path(problem.file).name for problem in caught.value.problems] == [
        "a.yml",
        "b.yml",
        "b.yml",
        "c.yml",
    ]


def test_a_flag_defined_twice_names_both_files(tmp_path):
    write(tmp_path, "beta/a.yml")
    write(tmp_path, "ops/a.yml")
    with pytest.raises(DefinitionError) as caught:
        load_definitions(tmp_path)
    (problem,) = caught.value.problems
    assert problem.file == str(tmp_path / "ops/a.yml")
    assert problem.what == f"the flag 'a' is already defined in {tmp_path / 'beta/a.yml'}"


def test_a_missing_folder_declares_nothing_with_a_warning(tmp_path):
    flags = load_definitions(tmp_path / "absent")
    assert len(flags) == 0
    assert "is not there, so no flag is defined" in str(flags.warnings[0])


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "flags").touch()
    with pytest.raises(DefinitionError, match="is not a folder"):
        load_definitions(tmp_path / "flags")


def test_a_dangling_link_is_an_error_and_a_pipe_is_not_waited_for(tmp_path):
    (tmp_path / "a.yml").symlink_to(tmp_path / "absent")
    os.mkfifo(tmp_path / "b.yml")
    with pytest.raises(DefinitionError) as caught:
        load_definitions(tmp_path)
    assert [problem.what for problem in caught.value.problems] == [
        "cannot be read: No such file or directory",
        "is not a regular file",
    ]


def test_a_folder_that_may_not_be_read_is_not_passed_over(tmp_path, monkeypatch):
    write(tmp_path, "ops/a.yml")
    real = os.scandir

    def guarded(path):
        if os.fspath(path).endswith("ops"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(DefinitionError, match="ops cannot be read: Permission denied"):
        load_definitions(tmp_path)


def test_warnings_are_kept_beside_the_flags(tmp_path):
    write(tmp_path, "ops/a.yml")
    (warning,) = load_definitions(tmp_path).warnings
    assert warning.file == str(tmp_path / "ops/a.yml")


def test_a_name_that_is_no_utf8_is_reported_in_printable_words(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.yml")).touch()
    with pytest.raises(DefinitionError) as caught:
        load_definitions(tmp_path)
    str(caught.value).encode()


@pytest.mark.parametrize(
    "typed", ["new_navigatoin", "new-navigation", "New_Navigation", " new_navigation"]
)
def test_near_names_are_found(tmp_path, typed):
    write(tmp_path, "ops/new_navigation.yml")
    write(tmp_path, "ops/dark_mode.yml")
    assert load_definitions(tmp_path).near(typed) == ("new_navigation",)


def test_nothing_is_near_to_something_else(tmp_path):
    write(tmp_path, "ops/dark_mode.yml")
    assert load_definitions(tmp_path).near("checkout") == ()


def test_definitions_cannot_be_changed():
    with pytest.raises(TypeError):
        Definitions()["a"] = None  # type: ignore[index]
