"""The page of a shared clip: rendered here, works without a script, and unfurls where links are posted."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from cutback.web.pages.static_files import static_files

_STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f7;--line:#dde2e4;--text:#14191c;--muted:#59656c;--accent:#0c7f73;
--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--bg:#0d1012;--line:#262d32;--text:#e9eef0;--muted:#98a4ab;--accent:#35bfae;
--on-accent:#04211d}}
*{box-sizing:border-box}
html{height:100%}
body{margin:0;min-height:100%;display:flex;flex-direction:column;align-items:center;justify-content:center;
background:var(--bg);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{width:100%;max-width:1080px;padding:0 0 32px}
.frame{background:#000;overflow:hidden;width:100%;max-height:78vh;display:flex;justify-content:center}
video{display:block;width:100%;height:auto;max-height:78vh;object-fit:contain;background:#000}
.about{display:flex;flex-wrap:wrap;gap:16px;align-items:center;justify-content:space-between;padding:16px}
.words{min-width:0;flex:1 1 240px}
h1{margin:0;font-size:24px;line-height:1.25;font-weight:600;overflow-wrap:anywhere}
p{margin:4px 0 0;color:var(--muted);font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
a.button{display:inline-flex;align-items:center;min-height:44px;padding:0 24px;border-radius:8px;
background:var(--accent);color:var(--on-accent);text-decoration:none;font-weight:600;white-space:nowrap}
a.button:focus-visible,video:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.gone{padding:48px 16px;text-align:center}
@media(min-width:760px){main{padding:32px 24px}.frame{border-radius:8px}.about{padding:16px 0}}
@media(max-width:480px){a.button{width:100%;justify-content:center}}
"""

STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


@dataclass(frozen=True, slots=True)
class SharedClip:
    """What the page shows."""

    address: str
    """The URL of the page; those of its files begin with it."""
    title: str
    camera: str
    """Empty for a clip that is not from a camera."""
    moment: str
    """When it was recorded, on the clock of the camera; empty if that is not known."""
    seconds: float
    width: int
    height: int
    file: str
    """The name of the clip's file below the address, such as `clip.mp4`."""
    media_type: str
    poster: bool
    """Whether there is a poster."""
    download: bool

    @property
    def name(self) -> str:
        """The heading."""
        return self.title or self.camera or "A clip"

    @property
    def facts(self) -> str:
        """Camera, moment and length, as far as they are known."""
        camera = self.camera if self.title else ""
        return " · ".join(fact for fact in (camera, self.moment, duration(self.seconds)) if fact)


def duration(seconds: float) -> str:
    """Return a length as people write it: `8.4 s`, or `1:05` from a minute on."""
    if seconds < 60:
        return f"{seconds:.1f}\u00a0s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def security_policy(*, from_store: bool) -> str:
    """Return the Content-Security-Policy of the page: no script at all, and files from here (or from the store)."""
    files = "'self' https:" if from_store else "'self'"
    return (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; media-src {files}; img-src {files}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def render(clip: SharedClip) -> str:
    """Return the page."""
    video, poster = f"{clip.address}/{clip.file}", f"{clip.address}/poster.jpg"
    # In the page itself without scheme and host, so that it works behind a proxy that ends TLS.
    own = escape(urlsplit(clip.address).path)
    meta = {
        "og:type": "video.other",
        "og:site_name": "Cutback",
        "og:title": clip.name,
        "og:description": clip.facts,
        "og:url": clip.address,
        "og:video": video,
        "og:video:type": clip.media_type,
        "og:video:width": str(clip.width),
        "og:video:height": str(clip.height),
    }
    if video.startswith("https://"):
        meta["og:video:secure_url"] = video
    if clip.poster:
        meta |= {"og:image": poster, "og:image:type": "image/jpeg", "og:image:alt": clip.name}
    named = {
        "description": clip.facts,
        "robots": "noindex",
        "twitter:card": "summary_large_image",
        "twitter:title": clip.name,
        "twitter:description": clip.facts,
        **({"twitter:image": poster} if clip.poster else {}),
    }
    tags = [f'<meta property="{name}" content="{escape(value)}">' for name, value in meta.items()]
    tags += [f'<meta name="{name}" content="{escape(value)}">' for name, value in named.items()]
    picture = f' poster="{own}/poster.jpg"' if clip.poster else ""
    button = f'<a class="button" href="{own}/{clip.file}?download=true" download>Download</a>' if clip.download else ""
    saving = "" if clip.download else ' controlslist="nodownload"'
    return _page(
        clip.name,
        "\n".join(tags),
        f'<div class="frame"><video src="{own}/{clip.file}"{picture} width="{clip.width}" height="{clip.height}"'
        f' controls playsinline preload="metadata"{saving}></video></div>\n'
        f'<div class="about"><div class="words"><h1 dir="auto">{escape(clip.name)}</h1>'
        f'<p dir="auto">{escape(clip.facts)}</p></div>'
        f"{button}</div>",
    )


def render_gone() -> str:
    """Return the page for a link that shows nothing."""
    return _page(
        "This link does not work",
        '<meta name="robots" content="noindex">',
        '<div class="gone"><h1>This link does not work</h1>'
        "<p>It may have expired, or the clip is no longer shared. Ask the person who sent it for a new one.</p></div>",
    )


def _page(title: str, head: str, content: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" type="image/svg+xml" href="{escape(static_files().address("icon.svg"))}">\n'
        f"<title>{escape(title)}</title>\n{head}\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{content}\n</main>\n</body>\n</html>\n"
    )
