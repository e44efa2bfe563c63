"""The Models view: which weights answer, whether others would fit, and loading and unloading them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.provenance import Family
from explorer.service import models
from explorer.service.models import FAMILIES, CatalogueRow, ModelRequest
from explorer.service.workspace import Workspace
from explorer.settings import DTYPES, DtypeChoice, Settings
from explorer.texts import Language, say
from explorer.ui import models_check, models_ladder
from explorer.ui.components import Chip, ModelChips, model_chips_data, part_words
from explorer.ui.jobs import INSTANT, QUIET, follow, on_device, said
from explorer.ui.language import LABELS, language_of
from explorer.ui.plain import source_line, table

COLUMNS = ("name", "verdict", "needs", "parameters", "dimensions", "layers", "context", "licence")


@dataclass(frozen=True)
class Parts:
    """The components of this view."""

    family: gr.Radio
    model: gr.Dropdown
    device: gr.Dropdown
    dtype: gr.Radio
    check: gr.Button
    load: gr.Button
    stop: gr.Button
    unload: gr.Button
    status: gr.HTML
    catalogue: gr.HTML


def components(workspace: Workspace, page: gr.Blocks) -> Parts:
    """Lay out the view: what to load at the left; the family, the self-check and the ladder at the right.

    Args:
        workspace: Where the models are.
        page: The page, for what happens when it opens.
    """
    gr.Markdown(LABELS("loading.lead"), elem_classes="lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            inputs = _inputs(workspace.settings)
        with gr.Column(scale=2, min_width=320), gr.Tabs(elem_id="models-tools"):
            with _tool("loading.catalogue", "catalogue"):
                catalogue = gr.HTML(elem_id="models-catalogue")
                with gr.Accordion(LABELS("ui.how_to_read"), open=False):
                    gr.Markdown(LABELS("loading.reading"), elem_classes="reading")
            with _tool("self_check.title", "check"):
                models_check.build(workspace)
            with _tool("size_ladder.title", "ladder"):
                models_ladder.build(workspace, page, inputs["device"], inputs["dtype"])
    return Parts(**inputs, catalogue=catalogue)


def _inputs(settings: Settings) -> dict[str, Any]:
    """Which model to load, where and how."""
    family = gr.Radio(
        [(LABELS(f"loading.family_{name}"), name) for name in FAMILIES],
        value=FAMILIES[0],
        label=LABELS("loading.family"),
        elem_id="models-family",
    )
    model = gr.Dropdown(
        models.names(FAMILIES[0]),
        value=settings.embedding,
        allow_custom_value=True,
        label=LABELS("loading.model"),
        info=LABELS("loading.model_info"),
        elem_id="models-model",
    )
    device = gr.Dropdown(
        models.available_devices(),
        value=settings.device,
        label=LABELS("loading.device"),
        elem_id="models-device",
    )
    dtype = gr.Radio(
        [(name, name) for name in DTYPES],
        value=settings.dtype,
        label=LABELS("loading.dtype"),
        info=LABELS("loading.dtype_info"),
        elem_id="models-dtype",
    )
    with gr.Row():
        load = gr.Button(LABELS("loading.load"), variant="primary", elem_id="models-load", scale=2)
        check = gr.Button(LABELS("loading.check"), elem_id="models-check", scale=2)
    with gr.Row():
        unload = gr.Button(LABELS("loading.unload"), elem_id="models-unload")
        stop = gr.Button(LABELS("ui.stop"), elem_id="models-stop")
    status = gr.HTML(elem_id="models-status")
    return {
        "family": family,
        "model": model,
        "device": device,
        "dtype": dtype,
        "check": check,
        "load": load,
        "stop": stop,
        "unload": unload,
        "status": status,
    }


def _tool(label: str, name: str) -> gr.Tab:
    return gr.Tab(LABELS(label), id=name, elem_id=f"tab-models-{name}")


class Handlers:
    """What happens when a visitor does something here."""

    def __init__(self, workspace: Workspace) -> None:
        """Remember where the models are."""
        self.workspace = workspace

    @said
    def load(
        self,
        family: Family,
        model: str,
        device: str,
        dtype: DtypeChoice,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio finds its progress bar by this default
    ) -> Iterator[str | dict[str, Any]]:
        """Load a model in place of the one of its kind."""
        language = language_of(request)
        wanted = ModelRequest(family, model or "", device, dtype)
        for result in follow(models.load(self.workspace, wanted), progress, language):
            yield gr.skip() if result is None else source_line(result.text(language))

    @said
    def unload(self, family: Family, request: gr.Request) -> str:
        """Let a model go and show that its memory came back."""
        return source_line(models.unload(self.workspace, family).text(language_of(request)))

    @said
    def check(self, family: Family, model: str, device: str, dtype: DtypeChoice, request: gr.Request) -> str:
        """Compare what a model needs with what is free, before anything is loaded."""
        wanted = ModelRequest(family, model or "", device, dtype)
        return source_line(models.would_fit(self.workspace, wanted).text(language_of(request)))

    @said
    def catalogue(self, device: str, dtype: DtypeChoice, request: gr.Request) -> str:
        """List the family with a verdict for this device."""
        language = language_of(request)
        rows = [catalogue_line(row, language) for row in models.catalogue(self.workspace, device, dtype)]
        return table(
            [say(f"loading.{name}", language) for name in COLUMNS], rows, say("loading.catalogue", language)
        )

    @said
    def chips(self, request: gr.Request) -> ModelChips:
        """Show in the header what is loaded."""
        language = language_of(request)
        loaded = models.loaded_now(self.workspace)
        nothing = say("loading.chip_loading" if loaded.loading else "loading.nothing", language)
        chips = []
        for family in FAMILIES:
            provenance = loaded.models.get(family)
            label = say(f"loading.chip_{family}", language)
            value, hover = (provenance.model, provenance.line) if provenance else (nothing, nothing)
            chips.append(Chip(label, value, "document" if provenance else "plain", hover))
        for place in dict.fromkeys(provenance.place for provenance in loaded.models.values()):
            chips.append(Chip(say("loading.chip_device", language), place))
        data = model_chips_data(chips, loaded.memory_used, loaded.memory_total)
        return ModelChips(data=data, words=part_words("chips", language))


def choose_family(family: Family) -> gr.Dropdown:
    """Offer the models of the chosen kind."""
    return gr.Dropdown(choices=models.names(family), value="bundled")


def catalogue_line(row: CatalogueRow, language: Language) -> list[str]:
    """Write one model of the family as table cells."""
    checkpoint = row.checkpoint
    kind = say(f"loading.family_{checkpoint.family}", language)
    return [
        f"{checkpoint.name} · {kind}" if checkpoint.weights == "bundled" else checkpoint.name,
        say(f"loading.{row.plan.verdict}", language),
        models.readable_bytes(row.plan.needed),
        f"{checkpoint.parameters / 1e6:,.0f} M",
        f"{checkpoint.dimensions:,}",
        str(checkpoint.layers),
        f"{checkpoint.context:,}",
        checkpoint.licence,
    ]


def build(workspace: Workspace, page: gr.Blocks, chips: ModelChips) -> None:
    """Lay out the view and connect it.

    Args:
        workspace: Where the models are.
        page: The page, for what happens when it opens.
        chips: The header's chips, which show what is loaded.
    """
    parts, handlers = components(workspace, page), Handlers(workspace)
    wanted = [parts.family, parts.model, parts.device, parts.dtype]
    place = [parts.device, parts.dtype]
    heavy = on_device(parts.status)

    parts.family.change(choose_family, parts.family, parts.model, **INSTANT)
    parts.check.click(handlers.check, wanted, parts.status, **QUIET)
    loading = parts.load.click(handlers.load, wanted, parts.status, **heavy)
    loading.then(handlers.chips, None, chips, **QUIET).then(
        handlers.catalogue, place, parts.catalogue, **QUIET
    )
    parts.stop.click(None, cancels=[loading], **QUIET)
    parts.unload.click(handlers.unload, parts.family, parts.status, **heavy).then(
        handlers.chips, None, chips, **QUIET
    ).then(handlers.catalogue, place, parts.catalogue, **QUIET)
    gr.on(
        [page.load, parts.device.change, parts.dtype.change],
        handlers.catalogue,
        place,
        parts.catalogue,
        **QUIET,
    )
    gr.on([page.load, gr.Timer(2.0).tick], handlers.chips, None, chips, **INSTANT)
