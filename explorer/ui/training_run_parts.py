"""The components of a training run: what is asked for, four buttons, and two curves that follow it."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from explorer.service.training import TrainingLimits, TrainingRequest
from explorer.ui.components import FigureView
from explorer.ui.language import LABELS

RATES = {"gentle": 2e-5, "normal": 1e-4, "brisk": 5e-4}
DEFAULTS = TrainingRequest("")


@dataclass(frozen=True)
class TrainParts:
    """Step 3."""

    stage: gr.Radio
    steps: gr.Slider
    margin: gr.Checkbox
    matryoshka: gr.Checkbox
    base: gr.Dropdown
    temperature: gr.Slider
    rate: gr.Radio
    batch: gr.Slider
    seed: gr.Number
    start: gr.Button
    pause: gr.Button
    resume: gr.Button
    stop: gr.Button
    status: gr.HTML
    loss: FigureView
    quality: FigureView

    @property
    def asked(self) -> list[gr.Component]:
        """What a training is asked for, in the order of the handler's parameters."""
        return [
            self.stage,
            self.steps,
            self.margin,
            self.matryoshka,
            self.base,
            self.temperature,
            self.rate,
            self.batch,
            self.seed,
        ]

    @property
    def shown(self) -> list[gr.Component]:
        """What follows the run, in the order of the handler's answer."""
        return [self.status, self.loss, self.quality, self.start, self.pause, self.resume, self.stop]


def heading(step: str) -> None:
    """Write the heading of a step, to which the strip above leads."""
    gr.Markdown(LABELS(f"training.step_{step}"), elem_id=f"training-step-{step}", elem_classes="step")


def train_parts(limits: TrainingLimits) -> TrainParts:
    """Lay out step 3: what is asked for at the left, the curves at the right."""
    heading("train")
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            stage = gr.Radio(
                [(LABELS("training.stage_one"), "all"), (LABELS("training.stage_two"), "kept")],
                value="all",
                label=LABELS("training.stage_choice"),
                elem_id="training-stage",
            )
            steps = gr.Slider(
                10,
                min(limits.steps, 1_000),
                value=min(DEFAULTS.steps, limits.steps),
                step=10,
                label=LABELS("training.steps"),
                info=LABELS("training.steps_info"),
                elem_id="training-steps",
            )
            margin = gr.Checkbox(
                DEFAULTS.margin, label=LABELS("training.margin"), info=LABELS("training.margin_info")
            )
            matryoshka = gr.Checkbox(
                DEFAULTS.matryoshka,
                label=LABELS("training.matryoshka"),
                info=LABELS("training.matryoshka_info"),
            )
            more = _advanced(limits)
            start = gr.Button(LABELS("training.start"), variant="primary", elem_id="training-start")
            with gr.Row():
                pause, resume, stop = (
                    gr.Button(
                        LABELS(f"training.{name}"),
                        elem_id=f"training-{name}",
                        min_width=70,
                        size="sm",
                        interactive=False,
                    )
                    for name in ("pause", "resume", "stop")
                )
            status = gr.HTML(elem_id="training-status")
        with gr.Column(scale=2, min_width=320):
            loss = FigureView(elem_id="training-loss", height=250)
            quality = FigureView(elem_id="training-quality", height=300)
    return TrainParts(
        stage, steps, margin, matryoshka, *more, start, pause, resume, stop, status, loss, quality
    )


def _advanced(
    limits: TrainingLimits,
) -> tuple[gr.Dropdown, gr.Slider, gr.Radio, gr.Slider, gr.Number]:
    with gr.Accordion(LABELS("training.advanced"), open=False, elem_id="training-advanced"):
        base = gr.Dropdown(
            [(LABELS("training.bundled_name"), "bundled")],
            value="bundled",
            label=LABELS("training.base"),
            elem_id="training-base",
        )
        rate = gr.Radio(
            [(LABELS(f"training.rate_{name}"), value) for name, value in RATES.items()],
            value=RATES["normal"],
            label=LABELS("training.learning_rate"),
            elem_id="training-rate",
        )
        temperature = gr.Slider(
            0.01,
            0.2,
            value=DEFAULTS.temperature,
            step=0.01,
            label=LABELS("training.temperature"),
            info=LABELS("training.temperature_info"),
        )
        batch = gr.Slider(
            4,
            min(limits.batch_pairs, 128),
            value=DEFAULTS.batch_pairs,
            step=4,
            label=LABELS("training.batch"),
            info=LABELS("training.batch_info"),
            elem_id="training-batch",
        )
        seed = gr.Number(0, label=LABELS("training.seed"), precision=0)
    return base, temperature, rate, batch, seed
