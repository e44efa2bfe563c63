"""Every analysis of the page as a function, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from explorer.provenance import Family
from explorer.service import (
    attribution,
    compare,
    compare_instructions,
    compare_variants,
    counterfactuals,
    disagreements,
    links,
    prompts,
    random_pairs,
    rerank,
    saturation,
    self_check,
    size_ladder,
    token_pairs,
    two_stages,
)
from explorer.service.attribution import PairAttribution
from explorer.service.changes.change import PairVersion
from explorer.service.code import Code, code_of
from explorer.service.compare import Comparison
from explorer.service.compare_instructions import InstructionComparison
from explorer.service.compare_variants import Difference, Variant
from explorer.service.counterfactuals import TriedChanges, VersionScores
from explorer.service.disagreements import Disagreements
from explorer.service.evidence import bundle
from explorer.service.evidence.bundle import Evidence
from explorer.service.prompts import PromptInputs
from explorer.service.random_pairs import Baseline
from explorer.service.rerank import Reranking, RerankTemplate
from explorer.service.saturation import Saturation
from explorer.service.searched import Source
from explorer.service.self_check import FAMILIES, SelfCheck
from explorer.service.size_ladder import SizeLadder
from explorer.service.token_pairs import TokenPairs
from explorer.service.two_stages import TwoStages
from explorer.service.workspace import Workspace, finished
from explorer.settings import DtypeChoice, Settings
from explorer.texts import Language


class Laboratory:
    """An embedding model and a reranker, and what can be asked of them.

    Models are loaded when they are first needed. Results are frozen dataclasses that tell their model, number format
    and device.

    Args:
        embedding: ``"bundled"``, a published size or name, a local folder or a hub repository.
        reranker: The same for the reranker.
        device: ``"auto"``, ``"cpu"``, ``"mps"``, ``"cuda"`` or ``"cuda:N"``.
        dtype: ``"auto"``, ``"float32"`` or ``"bfloat16"``.
        offline: Never reach for the hub.
        data_dir: Where computed vectors and scores are kept between runs; the page's folder when None.
    """

    def __init__(
        self,
        embedding: str = "bundled",
        reranker: str = "bundled",
        device: str = "auto",
        dtype: DtypeChoice = "auto",
        *,
        offline: bool = False,
        data_dir: Path | None = None,
    ) -> None:
        """Load nothing yet."""
        self.workspace = Workspace(
            Settings(
                embedding=embedding,
                reranker=reranker,
                device=device,
                dtype=dtype,
                offline=offline,
                data_dir=data_dir or Settings.data_dir,
            )
        )

    def rerank(
        self,
        query: str,
        documents: Sequence[str],
        instruction: str | None = None,
        template: RerankTemplate = "model_card",
    ) -> Reranking:
        """Rank documents by the reranker, beside the embedding model's ranking.

        Args and errors as :func:`explorer.service.rerank.rerank`.
        """
        return finished(rerank.rerank(self.workspace, query, documents, instruction, template))

    def compare_instructions(
        self,
        queries: Sequence[str],
        documents: Sequence[str],
        instructions: Sequence[str],
        template: RerankTemplate = "model_card",
    ) -> InstructionComparison:
        """Score the same queries and documents under several instructions, by both models.

        Args and errors as :func:`explorer.service.compare_instructions.compare_instructions`.
        """
        job = compare_instructions.compare_instructions
        return finished(job(self.workspace, queries, documents, instructions, template))

    def two_stages(
        self,
        query: str,
        documents: Sequence[str] | None = None,
        k: int = 20,
        instruction: str | None = None,
        template: RerankTemplate = "model_card",
    ) -> TwoStages:
        """Retrieve the nearest of these documents, or of the demo corpus, then rerank them.

        Args and errors as :func:`explorer.service.two_stages.two_stages`.
        """
        asked = (query, Source(documents), k, instruction, template)
        return finished(two_stages.two_stages(self.workspace, *asked))

    def disagreements(
        self,
        queries: Sequence[str],
        documents: Sequence[str] | None = None,
        documents_at_most: int | None = None,
        instruction: str | None = None,
        template: RerankTemplate = "model_card",
    ) -> Disagreements:
        """Judge every query with every document by cosine and by log-odds; without documents, the demo corpus.

        Args and errors as :func:`explorer.service.disagreements.disagreements`.
        """
        asked = (queries, Source(documents), documents_at_most, instruction, template)
        return finished(disagreements.disagreements(self.workspace, *asked))

    def saturation(
        self,
        query: str,
        documents: Sequence[str],
        instruction: str | None = None,
        template: RerankTemplate = "model_card",
    ) -> Saturation:
        """Say whether scores still tell documents apart, and whether they would in bfloat16.

        Args and errors as :func:`explorer.service.saturation.saturation`.
        """
        return finished(saturation.saturation(self.workspace, query, documents, instruction, template))

    def evidence(self, shown: Reranking | Comparison, language: Language = "en") -> Evidence:
        """Put everything behind a result into one zip, with a script that computes it again.

        Args and errors as :func:`explorer.service.evidence.bundle.evidence`.
        """
        return finished(bundle.evidence(self.workspace, shown, language))

    def self_check(self, families: Sequence[Family] = FAMILIES) -> SelfCheck:
        """Check that the models give the numbers they should.

        Args and errors as :func:`explorer.service.self_check.self_check`.
        """
        return finished(self_check.self_check(self.workspace, families))

    def size_ladder(
        self,
        family: Family,
        query: str,
        documents: Sequence[str],
        models: Sequence[str] | None = None,
        instruction: str | None = None,
        template: RerankTemplate = "model_card",
    ) -> SizeLadder:
        """Ask several models the same, one after the other, on this laboratory's device and in its number format.

        Args and errors as :func:`explorer.service.size_ladder.size_ladder`.
        """
        place = (self.workspace.settings.device, self.workspace.settings.dtype)
        asked = (family, query, documents, models, instruction, template, *place)
        return finished(size_ladder.size_ladder(self.workspace, *asked))

    def compare(
        self, queries: Sequence[str], documents: Sequence[str], instruction: str | None = None
    ) -> Comparison:
        """Give the cosine of every query with every document, and of the documents with each other.

        Args and errors as :func:`explorer.service.compare.compare`.
        """
        return finished(compare.compare(self.workspace, queries, documents, instruction))

    def compare_variants(
        self, queries: Sequence[str], documents: Sequence[str], first: Variant, second: Variant
    ) -> Difference:
        """Give the cosines with another model, instruction, number of dimensions or number format, and the change.

        Args and errors as :func:`explorer.service.compare_variants.compare_variants`.
        """
        return finished(compare_variants.compare_variants(self.workspace, queries, documents, first, second))

    def random_pairs(self, instruction: str | None = None, dimensions: int | None = None) -> Baseline:
        """Give the cosines of unrelated texts, which tell what is high for this model.

        Args and errors as :func:`explorer.service.random_pairs.random_pairs`.
        """
        return finished(random_pairs.random_pairs(self.workspace, instruction, dimensions))

    def counterfactuals(
        self, versions: Sequence[PairVersion], template: RerankTemplate = "model_card"
    ) -> VersionScores:
        """Score versions of one pair; what was computed before is not computed again.

        Args and errors as :func:`explorer.service.counterfactuals.score_versions`.
        """
        return finished(counterfactuals.score_versions(self.workspace, versions, template))

    def try_changes(self, version: PairVersion, template: RerankTemplate = "model_card") -> TriedChanges:
        """Make every small change of a pair by rule, and score each.

        Args and errors as :func:`explorer.service.counterfactuals.try_changes`.
        """
        return finished(counterfactuals.try_changes(self.workspace, version, template))

    def link(self, shown: Reranking | Comparison, tab: str = "") -> str:
        """Write what a link needs behind the ``#`` of a page's address to restore the inputs of a result.

        Args and errors as :func:`explorer.service.links.inputs_of` and :func:`explorer.service.links.make_link`.
        """
        return links.make_link(links.inputs_of(shown, tab))

    def code(self, shown: Reranking | Comparison, address: str = "http://127.0.0.1:7860") -> Code:
        """Write the Python and HTTP calls that give a result.

        Args and errors as :func:`explorer.service.code.code_of`.
        """
        return code_of(self.workspace, shown, address)

    def prompt(self, query: str, document: str, instruction: str | None = None) -> PromptInputs:
        """Give the exact inputs of one pair, token by token, and what the choice of template does to the score.

        Args and errors as :func:`explorer.service.prompts.exact_inputs`.
        """
        return finished(prompts.exact_inputs(self.workspace, query, document, instruction))

    def attribution(
        self,
        query: str,
        document: str,
        instruction: str | None = None,
        template: RerankTemplate = "model_card",
    ) -> PairAttribution:
        """Say which words of one pair moved the log-odds, and how far to believe it.

        Args and errors as :func:`explorer.service.attribution.attribute`.
        """
        return finished(attribution.attribute(self.workspace, query, document, instruction, template))

    def token_pairs(self, query: str, document: str, instruction: str | None = None) -> TokenPairs:
        """Divide the cosine of two texts among pairs of their words, approximately.

        Args and errors as :func:`explorer.service.token_pairs.token_pairs`.
        """
        return finished(token_pairs.token_pairs(self.workspace, query, document, instruction))
