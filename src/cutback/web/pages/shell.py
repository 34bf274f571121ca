"""The document in which the pages run: its head, its policy, and what is painted before any script runs. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

from cutback.web.pages.static_files import StaticFiles

_THEME = (
    "try{const t=localStorage.getItem('cutback.theme');"
    "if(t==='dark'||t==='light')document.documentElement.dataset.theme=t}catch{}"
)
"""Before the first paint, so that a chosen theme does not flash."""

PLACES = {"library": "/", "cut": "/cut", "clips": "/clips", "status": "/status", "settings": "/settings"}
"""The entries of the bar, by name, with their paths."""
_LABELS = {"library": "Library", "cut": "Cutting room", "clips": "Clips", "status": "Status", "settings": "Settings"}


@dataclass(frozen=True, slots=True)
class Shell:
    """One answer with the document."""

    files: StaticFiles
    nonce: str
    """Random, for this answer alone: only scripts that carry it run."""
    store_media: bool
    """Whether the store sends the media, from an origin of its own."""
    store_uploads: bool = False
    """Whether uploads go to the store directly."""

    @property
    def security_policy(self) -> str:
        """The `Content-Security-Policy`: our own files, and scripts only with the nonce or imported by those."""
        files = "'self' blob: https:" if self.store_media else "'self' blob:"
        connect = "'self' https:" if self.store_media or self.store_uploads else "'self'"
        return (
            f"default-src 'none'; script-src 'nonce-{self.nonce}' 'strict-dynamic'; style-src 'self'; "
            f"img-src {files} data:; media-src {files}; connect-src {connect}; manifest-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )

    def render(self, place: str) -> str:
        """Return the document for a place; any other name than those of the bar marks none of them."""
        nonce = f'nonce="{self.nonce}"'
        imports = json.dumps({"imports": self.files.imports}, separators=(",", ":")).replace("<", "\\u003c")
        ahead = "\n".join(
            f'<link rel="modulepreload" href="{escape(address)}" {nonce}>' for address in self.files.ahead
        )
        entries = "".join(
            f'<a href="{path}"{" aria-current=page" if name == place else ""}>{_LABELS[name]}</a>'
            for name, path in PLACES.items()
        )
        return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Cutback</title>
<link rel="icon" type="image/svg+xml" href="{escape(self.files.address("icon.svg"))}">
<script {nonce}>{_THEME}</script>
<link rel="stylesheet" href="{escape(self.files.address("tokens.css"))}">
<link rel="stylesheet" href="{escape(self.files.address("style.css"))}">
<script type="importmap" {nonce}>{imports}</script>
{ahead}
<script type="module" {nonce} src="{escape(self.files.address("app/main.js"))}"></script>
</head>
<body>
<div id="app">
<header class="bar"><a class="brand" href="/"><i></i>Cutback</a><nav aria-label="Places">{entries}</nav></header>
<main class="waiting" aria-busy="true"><p class="visually-hidden">Loading.</p></main>
</div>
<noscript><p class="face">These pages need JavaScript. Everything here can also be done with <code>cutback</code> on the
command line and with the REST API at <code>/v1</code>.</p></noscript>
</body>
</html>
"""
