"""Start the explorer: flags to settings, settings to a page, the page to a browser."""

from __future__ import annotations

import logging
import os
import sys
import threading

from explorer.errors import ExplorerError
from explorer.settings import Settings, parse_settings
from explorer.texts import say


def prepare_environment(settings: Settings) -> None:
    """Switch off whatever would speak to other machines, before the libraries that read these are imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir / "uploads")
    if settings.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"


def main(arguments: list[str]) -> int:
    """Serve the page until it is interrupted.

    Args:
        arguments: Command line without the program's name.

    Returns:
        Exit status.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = parse_settings(arguments, os.environ)
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (ExplorerError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    prepare_environment(settings)
    print("Starting …", flush=True)

    from explorer.service.workspace import Workspace
    from explorer.ui.layout import QUEUE, build_page, launch_options

    workspace = Workspace(settings)
    page = build_page(workspace)
    page.queue(**QUEUE)
    try:
        _, address, _ = page.launch(prevent_thread_lock=True, **launch_options(settings))
    except OSError:
        print(say("settings.port_taken", "en", port=settings.port), file=sys.stderr)
        return 2
    print(f"Open {address}", flush=True)
    threading.Thread(target=workspace.warm_up, name="warm-up", daemon=True).start()
    page.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
