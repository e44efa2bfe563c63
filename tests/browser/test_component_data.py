"""What the interactive parts are fed with, before it leaves Python."""

from __future__ import annotations

import base64
import json

import numpy as np

from explorer.ui.components import map_categories, part_words, unpack_indices
from explorer.ui.components.wire import compact, pack


def test_numbers_travel_unchanged():
    rows = np.array([[0.5, -1.25], [3.0, 1e-7]], dtype=np.float32)
    assert np.frombuffer(base64.b64decode(pack(rows)), "<f4").tolist() == rows.ravel().tolist()
    assert unpack_indices(pack(np.array([7, 70_000]), "<i4")).tolist() == [7, 70_000]
    assert unpack_indices("").tolist() == []


def test_what_json_cannot_hold_becomes_null():
    assert json.loads(compact({"a": [float("nan"), np.float32(0.5), np.int64(3), "x"]})) == {
        "a": [None, 0.5, 3, "x"]
    }


def test_categories_beyond_eight_become_other():
    values = [f"topic {place}" for place in range(9) for _ in range(9 - place)] + [None]
    packed = json.loads(map_categories(values, "topic", "other"))
    codes = np.frombuffer(base64.b64decode(packed["codes"]), "<i2")
    assert packed["labels"] == [f"topic {place}" for place in range(8)] + ["other"]
    assert packed["other"] == 8
    assert codes[-2:].tolist() == [8, 8]


def test_a_real_category_called_other_keeps_its_colour():
    packed = json.loads(map_categories(["other", "a", "a"], "topic", "other"))
    assert packed["labels"] == ["a", "other"]
    assert packed["other"] == -1


def test_the_words_of_a_part_are_there_in_both_languages():
    english, chinese = part_words("map", "en"), part_words("map", "zh")
    assert english.keys() == chinese.keys()
    assert {"empty", "plot_pan"} <= english.keys()
