"""The page: its tabs, and the limits that it is served within."""

import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from demo.about import HOW_TO_GET_ONE, KEPT_SECONDS, SWEPT_SECONDS, about_tab, notice
from demo.examples import write_examples
from demo.listening import MOST_MEGABYTES
from demo.live import live_tab
from demo.models import Served
from demo.one import one_tab
from demo.several import several_tab

STATIC = Path(__file__).parent / "static"
TITLE = "Is this speech fake?"
AT_ONCE = 2  # recordings that are judged at a time: the cores of free hardware
MOST_WAITING = 100


def build(served: Served | None) -> gr.Blocks:
    """The page for a detector; without one, a page that says how to get one."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(SWEPT_SECONDS, KEPT_SECONDS)) as page:
        gr.Markdown(
            f"# {TITLE}\nA speech-deepfake detector listens to a recording and tells whether it sounds **real** or "
            "**fake**, where, and how sure it is. It can be wrong; see *About*."
        )
        gr.HTML(notice(served), visible=bool(notice(served)))
        if served is None:
            gr.Markdown(HOW_TO_GET_ONE)
            return page
        page.examples = tempfile.TemporaryDirectory()  # which goes when the page does
        # Gradio would copy them to where recordings are deleted when they are old.
        gr.set_static_paths(page.examples.name)
        examples = write_examples(Path(page.examples.name))
        with gr.Tabs():
            with gr.Tab("Detect"):
                one_tab(served, examples)
            with gr.Tab("Several"):
                several_tab(served)
            with gr.Tab("Live"):
                live_tab(served)
            with gr.Tab("About"):
                about_tab(served)
    page.queue(default_concurrency_limit=AT_ONCE, max_size=MOST_WAITING)
    return page


def settings() -> dict[str, Any]:
    """What the page is launched with."""
    fonts = ["system-ui", "sans-serif"]  # the visitor's own: nothing is fetched from elsewhere
    return {
        "max_file_size": MOST_MEGABYTES * 1_000_000,
        "theme": gr.themes.Default(primary_hue="blue", font=fonts, font_mono=["ui-monospace", "monospace"]).set(
            # Gradio's own are too faint to be read by all.
            body_text_color_subdued="*neutral_600",
            block_info_text_color="*neutral_600",
            block_label_text_color="*neutral_700",
        ),
        "css_paths": STATIC / "style.css",
        "head": f"<script>{(STATIC / 'timeline.js').read_text(encoding='utf-8')}</script>",
        "footer_links": ["api", "gradio", "settings"],
        "ssr_mode": False,
    }
