"""Is every announcement kept exactly once?"""

from __future__ import annotations

from app.chat import Chat


def test_a_repeated_key_is_kept_once_even_after_a_restart(tmp_path):
    assert Chat(tmp_path).post("a", "#production", "25 %")
    restarted = Chat(tmp_path)
    assert not restarted.post("a", "#production", "25 %")
    assert [line["text"] for line in restarted.read()] == ["25 %"]
