import pytest
import yaml

from flagstaff.definitions import nodes
from flagstaff.definitions.nodes import ListNode, MappingNode, ScalarNode, read_nodes
from flagstaff.definitions.problems import Problems
from flagstaff.definitions.source import MAX_BYTES, read_file


@pytest.fixture(params=["SafeLoader", "CSafeLoader"], autouse=True)
def _each_loader(request, monkeypatch):
    monkeypatch.setattr(nodes, "_LOADER", getattr(yaml, request.param))


def read(data: bytes | str):
    problems = Problems("f.yml")
    node = read_nodes(data.encode() if isinstance(data, str) else data, problems)
    return node, [str(problem) for problem in problems.errors]


def test_nodes_keep_what_was_typed_and_where():
    node, errors = read("a: no\nb:\n- 15.10\n- 'x'\n")
    assert errors == []
    assert node == MappingNode(
        items={
            "a": ScalarNode(text="no", quoted=False, line=1),
            "b": ListNode(
                items=(
                    ScalarNode(text="15.10", quoted=False, line=3),
                    ScalarNode(text="x", quoted=True, line=4),
                ),
                line=3,
            ),
        },
        lines={"a": 1, "b": 2},
        line=1,
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("on", "bool"),
        ("15.1", "float"),
        ("7", "int"),
        ("~", "null"),
        ("2026-01-01", "timestamp"),
        ("x", "str"),
        ("'on'", "str"),
        ("!!str on", "str"),
        ("! 7", "str"),
    ],
)
def test_the_kind_is_what_yaml_would_take_it_for(text, kind):
    node, errors = read(f"a: {text}")
    assert errors == []
    assert isinstance(node, MappingNode)
    value = node.items["a"]
    assert isinstance(value, ScalarNode)
    assert value.kind == kind


@pytest.mark.parametrize("data", ["", "# only a comment\n", "---\n", "\n\n", "--- # x\n...\n"])
def test_an_empty_file_is_nothing_and_no_problem(data):
    assert read(data) == (None, [])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a: 1\nb: \xff\n", "f.yml:2: is not UTF-8; save the file in UTF-8"),
        ("a: 1".encode("utf-16"), "f.yml:1: is not UTF-8; save the file in UTF-8"),
        (b"a: 1\n\x00", "f.yml:2: holds the control character U+0000; delete it"),
        (b"a: 1\na: 2\n", "f.yml:2: has the key 'a' twice, first in line 1; keep one of the two"),
        (b"? [a]\n: 1\n", "f.yml:1: has a list as a key; write a single word as the key"),
        (
            b"a: 1\n---\nb: 1\n",
            (
                "f.yml:2: holds more than one document; "
                "keep one document per file, without further `---`"
            ),
        ),
        (b"\n" + b"[" * 40 + b"]" * 40, "f.yml:2: is nested more than 20 levels deep"),
        (
            b"a: 1\nb: !ruby/object x\n",
            (
                "f.yml:2: uses the tag '!ruby/object'; "
                "write the value without a tag; what it means is known from its key"
            ),
        ),
        (
            b"a: &x 1\n",
            (
                "f.yml:1: sets the anchor '&x'; "
                "write the value out, or put quotes around a text that starts with `&`"
            ),
        ),
        (
            b"a: *x\n",
            (
                "f.yml:1: uses the alias '*x'; "
                "write the value out, or put quotes around a text that starts with `*`"
            ),
        ),
    ],
)
def test_what_cannot_be_read_is_said_with_place_and_remedy(data, problem):
    assert read(data)[1] == [problem]


@pytest.mark.parametrize(
    ("data", "place", "remedy"),
    [
        (b"a: 1\nb: [\n", "f.yml:", "put quotes around special characters"),
        (b"a: 1\nb: c: d\n", "f.yml:2: ", "put quotes around a value that holds `: `"),
        (b"a:\n\tb: 1\n", "f.yml:2: ", "indent with spaces, not tabs"),
        (b"a: '\n", "f.yml:", "put quotes around special characters"),
        (b'a: "\\UFFFFFFFF"\n', "f.yml", ""),
    ],
)
def test_broken_yaml_is_a_problem_with_a_line_and_a_cure(data, place, remedy):
    node, (problem,) = read(data)
    assert node is None
    assert problem.startswith(place)
    assert "is not valid YAML" in problem
    assert remedy in problem


def test_a_bomb_of_aliases_is_refused_in_linear_time():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    errors = read("\n".join(lines))[1]
    assert len(errors) == 101
    assert errors[-1].endswith(f"has {30 + 29 * 9 - 100} more problems")


def test_a_huge_file_is_not_parsed():
    assert read(b"#" * (MAX_BYTES + 1)) == (
        None,
        ["f.yml: is longer than the 262,144 bytes that are read; is this the right file?"],
    )


def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path):
    problems = Problems("f.yml")
    assert read_file(tmp_path / "absent.yml", problems) is None
    assert "cannot be read: No such file or directory" in str(problems.errors[0])


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    problems = Problems("f.yml")
    assert read_file(tmp_path, problems) is None
    assert "is not a regular file" in str(problems.errors[0])
