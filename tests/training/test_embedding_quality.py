"""The bundled embedding model means what it says: in seven languages, in short prefixes, with the right ending."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from explorer.training.distil.evaluate import as_query, folder_encoder, prefix

FOLDER = Path(__file__).parents[2] / "assets" / "models" / "mini-embedding"
Matrix = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Matrix]

# (anchor, same meaning, other meaning); the other meaning is in the language of the same meaning and often shares
# words with the anchor.
TRIPLES = [
    ("The child is asleep.", "A little boy is sleeping.", "A little boy is running."),
    ("How do I get my money back?", "I would like a refund.", "I would like to make a reservation."),
    (
        "The company fired half of its staff.",
        "Many employees lost their jobs.",
        "The company hired a new director.",
    ),
    ("A plane is taking off.", "一架飞机正在起飞。", "一个男人正在做饭。"),
    ("My credit card was stolen.", "我的信用卡被偷了。", "我想预订一张去北京的机票。"),
    ("今天天气很热。", "今天气温很高。", "今天股票价格下跌了。"),
    ("他喜欢吃水果。", "他爱吃苹果和香蕉。", "他喜欢看足球比赛。"),
    ("医生建议病人多休息。", "The doctor advised the patient to rest.", "The teacher praised the student."),
    ("A woman is cooking dinner.", "Eine Frau kocht das Abendessen.", "Ein Mann spielt Gitarre."),
    ("Der Zug kommt heute zu spät.", "Die Bahn hat heute Verspätung.", "Die Suppe schmeckt heute gut."),
    ("Die Regierung erhöht die Steuern.", "The government raises taxes.", "The dog chases a ball."),
    ("The dog runs in the park.", "El perro corre por el parque.", "El presidente firma la ley."),
    ("Me duele la cabeza.", "Tengo dolor de cabeza.", "Tengo un coche nuevo."),
    ("El río inundó la ciudad.", "The river flooded the town.", "The singer released an album."),
    (
        "Children are playing football.",
        "Des enfants jouent au football.",
        "Des soldats marchent dans la neige.",
    ),
    ("J'ai perdu mes clés.", "Je ne trouve plus mes clés.", "Je mange une pomme."),
    ("Le musée est fermé le lundi.", "The museum is closed on Mondays.", "The bridge was built of stone."),
    ("A cat is sitting on the table.", "猫がテーブルの上に座っています。", "男性がギターを弾いています。"),
    ("明日は雨が降るでしょう。", "明日の天気は雨です。", "明日の会議は中止です。"),
    ("電車が遅れています。", "The train is late.", "The cake is sweet."),
    ("A man is playing the piano.", "Мужчина играет на пианино.", "Женщина режет овощи."),
    ("Цены на нефть выросли.", "Нефть подорожала.", "Команда выиграла матч."),
    ("Врач осматривает пациента.", "The doctor examines the patient.", "The farmer sells vegetables."),
]


@pytest.fixture(scope="module")
def encode() -> Encode:
    return folder_encoder(FOLDER)


def share_right(encode: Encode, width: int) -> float:
    anchors, same, other = (prefix(encode([triple[part] for triple in TRIPLES]), width) for part in range(3))
    return float(((anchors * same).sum(1) > (anchors * other).sum(1)).mean())


def test_same_meaning_is_nearer_than_other_meaning_in_seven_languages(encode: Encode) -> None:
    assert share_right(encode, 10_000) >= 0.8


def test_a_prefix_of_64_dimensions_still_tells_meanings_apart(encode: Encode) -> None:
    assert share_right(encode, 64) >= 0.7


def test_a_query_with_its_instruction_finds_its_document(encode: Encode) -> None:
    queries = ["how to open a bank account", "怎样种植番茄", "capital of France", "symptoms of the flu"]
    documents = [
        "To open an account at the bank, bring your passport and proof of address.",
        "番茄需要充足的阳光和水分，春天播种最合适。",
        "Paris is the largest city of France and the seat of its government.",
        "Influenza usually begins with fever, a cough, a sore throat and aching muscles.",
    ]
    found = (
        prefix(encode([as_query(query) for query in queries]), 256) @ prefix(encode(documents), 256).T
    ).argmax(1)
    assert (found == np.arange(4)).sum() >= 3


@pytest.mark.parametrize("text", ["one sentence", "一句话", "", "Instruct: find\nQuery:word"])
def test_the_tokenizer_ends_every_text_with_end_of_text_exactly_once(text: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    ids = tokenizer(text).input_ids
    assert ids[-1] == tokenizer.convert_tokens_to_ids("<|endoftext|>")
    assert ids.count(ids[-1]) == 1
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_the_words_of_the_reranker_template_are_single_tokens() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    for word in ("yes", "no", "<think>", "</think>", "<|im_start|>", "<|im_end|>"):
        assert len(tokenizer(word, add_special_tokens=False).input_ids) == 1


def test_sentence_transformers_gives_the_same_vectors(encode: Encode) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(FOLDER), device="cpu", model_kwargs={"dtype": "float32"})
    texts = ["A plane is taking off.", "一架飞机正在起飞。", "Мужчина играет на пианино, а женщина поёт."]
    np.testing.assert_allclose(model.encode(texts), prefix(encode(texts), 10_000), atol=1e-5)
    np.testing.assert_allclose(
        model.encode(texts, prompt_name="query"),
        prefix(encode([as_query(text) for text in texts]), 10_000),
        atol=1e-5,
    )


def test_the_folder_is_a_small_qwen3_model() -> None:
    config = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["Qwen3Model"]
    assert (FOLDER / "model.safetensors").stat().st_size < 35 * 2**20
