"""Colours, type and spacing of the page; assets/web/page.css holds what a theme cannot say."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from explorer.settings import ASSETS

PAGE_CSS: Path = ASSETS / "web" / "page.css"

_INK = gr.themes.Color(
    name="ink",
    c50="#f7f8fa",
    c100="#eef0f4",
    c200="#dfe3ea",
    c300="#c6ccd8",
    c400="#98a1b3",
    c500="#6b7588",
    c600="#4f586b",
    c700="#3a4252",
    c800="#252b38",
    c900="#171c26",
    c950="#0f131b",
)
_DOCUMENT_BLUE = gr.themes.Color(
    name="document-blue",
    c50="#eff6fc",
    c100="#dcebf8",
    c200="#b7d6f0",
    c300="#84b9e4",
    c400="#4a97d3",
    c500="#1f78b8",
    c600="#0a629f",
    c700="#084f82",
    c800="#0b4369",
    c900="#0d3858",
    c950="#08243a",
)


def theme() -> gr.themes.Base:
    """Make the page's theme: system type, quiet greys, one blue, no shadows."""
    system_type = ("system-ui", "-apple-system", "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "sans-serif")
    fixed_type = ("ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace")
    return gr.themes.Base(
        primary_hue=_DOCUMENT_BLUE,
        secondary_hue=_DOCUMENT_BLUE,
        neutral_hue=_INK,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
        font=system_type,
        font_mono=fixed_type,
    ).set(
        body_background_fill="white",
        body_background_fill_dark="*neutral_950",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        background_fill_secondary_dark="*neutral_900",
        block_border_width="1px",
        block_shadow="none",
        input_background_fill="*neutral_50",
        input_background_fill_dark="*neutral_950",
        input_border_width="1px",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_text_color="white",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="*neutral_100",
        block_title_text_weight="600",
        body_text_color_subdued="*neutral_600",
        input_placeholder_color="*neutral_600",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
    )
