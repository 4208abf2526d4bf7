"""Rules of format and style: each check by hand, bad rule files by name, and that no schema is ever fetched."""

import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragdiag.answering.rules import CHECKS, broken, load_rules, spoken
from ragdiag.core.errors import InputError, SpecError

SCHEMA = {"type": "object", "required": ["answer"], "properties": {"answer": {"type": "string"}}, "additionalProperties": False}


def rules(folder: Path, given: object):
    path = folder / "rules.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    return load_rules(path)


@pytest.mark.parametrize(
    ("check", "value", "kept", "breaks"),
    [
        ("json_schema", SCHEMA, ' {"answer": "Paris"}\n', '```json\n{"answer": "Paris"}\n```'),
        ("json_schema", SCHEMA, '{"answer": ""}', '{"answer": 3}'),
        ("json_schema", SCHEMA, '{"answer": "x"}', "Paris"),
        ("regex", r"[A-Z]{2}\d+", "AB12", "it is AB12"),
        ("must_match", r"\[\d+\]", "so it is [1]", "so it is"),
        ("must_not_match", "(?i)as an ai", "It is 3.", "As an AI, I think 3."),
        ("must_contain", ["Source:", "page"], "3. Source: page 4", "3. Source: none"),
        ("must_not_contain", "!", "Fine.", "Fine!"),
        ("max_words", 3, "one two three", "one two three four"),
        ("min_words", 2, "one two", "one"),
        ("max_characters", 3, " abc ", "abcd"),
        ("min_characters", 3, "abc", "ab "),
    ],
)
@pytest.mark.parametrize("kind", ["format", "style"])
def test_each_check(tmp_path: Path, kind: str, check: str, value: object, kept: str, breaks: str) -> None:
    own = rules(tmp_path, {kind: {check: value}})
    assert not broken(own, kept)
    assert [rule.kind for rule in broken(own, breaks)] == [kind]
    assert broken(own, breaks)[0].name.startswith(check)


def test_every_check_is_tested_above() -> None:
    tested = {values[0] for mark in test_each_check.pytestmark if "check" in mark.args[0] for values in mark.args[1]}
    assert tested == set(CHECKS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "holds no rules"),
        ({}, "holds no rules"),
        ({"formt": {"regex": "x"}}, "unknown kind of rule 'formt'; did you mean 'format'"),
        ({"format": {}}, "'format' holds no checks"),
        ({"format": {"regexp": "x"}}, "unknown check 'regexp'; did you mean 'regex'"),
        ({"format": {"regex": "("}}, "format regex: missing ), unterminated subpattern"),
        ({"format": {"max_words": "3"}}, "format max_words: a number, 0 or more, is expected"),
        ({"format": {"max_words": True}}, "a number, 0 or more, is expected"),
        ({"style": {"must_contain": [""]}}, "a text, or a list of texts, is expected"),
        ({"format": {"json_schema": {"type": "objekt"}}}, "is no JSON Schema"),
        ({"format": {"json_schema": "x"}}, "a JSON Schema is an object"),
    ],
)
def test_a_file_that_holds_no_rules(tmp_path: Path, given: object, message: str) -> None:
    with pytest.raises(InputError) as e:
        rules(tmp_path, given)
    assert message in str(e.value)
    assert "rules.json" in str(e.value)


def test_what_a_schema_refers_to_elsewhere_is_never_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(SpecError, match=r"refers to 'http://127\.0\.0\.1:9/schema\.json', which is not in it"):
        rules(tmp_path, {"format": {"json_schema": {"$ref": "http://127.0.0.1:9/schema.json"}}})
    nested = {"properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}}
    with pytest.raises(SpecError, match="which is not in it"):
        broken(rules(tmp_path, {"format": {"json_schema": nested}}), '{"a": 3}')
    for lost in ({"$dynamicRef": "#nope"}, {"$ref": "#/$defs/none"}):
        with pytest.raises(SpecError, match="which is not in it"):
            rules(tmp_path, {"format": {"json_schema": lost}})
    assert not broken(rules(tmp_path, {"format": {"json_schema": {"const": {"$ref": "x"}}}}), '{"$ref": "x"}')
    own = {"$defs": {"name": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/name"}}}
    assert broken(rules(tmp_path, {"format": {"json_schema": own}}), '{"a": 3}')


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ('{"answer": "Paris", "n": 3}', "Paris\n3"),
        ('["a", {"b": [true, null, 2.5]}]', "a\nyes\n2.5"),
        ("{not json", "{not json"),
        ("{}", "{}"),
        ("Paris", "Paris"),
        ("[1] says so", "[1] says so"),
    ],
)
def test_what_an_answer_in_json_says(answer: str, says: str) -> None:
    assert spoken(answer) == says


@given(st.text(max_size=40))
def test_any_other_answer_says_all_of_it(text: str) -> None:
    if text.strip()[:1] not in ("{", "["):
        assert spoken(text) == text


def test_values_of_an_answer_nest_as_deep_as_they_like() -> None:
    assert spoken("[" * 900 + '"x", 1' + "]" * 900) == "x\n1"
    assert spoken('{"a": ["x", {"b": true}], "c": "y"}') == "x\nyes\ny"
