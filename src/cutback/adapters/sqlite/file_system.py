"""Which kind of file system a database lies on: on a network, SQLite's locks and its write-ahead log do not hold."""

from __future__ import annotations

import re
from pathlib import Path

_OF_A_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|afs|ncpfs|9p|ceph|glusterfs|lustre|gpfs|beegfs|ocfs2|gfs2|davfs"
    r"|fuse\.(?:sshfs|s3fs|s3ql|gcsfuse|goofys|rclone|glusterfs|ceph\w*|davfs\w*|mount-s3|blobfuse\w*)"
)
_ESCAPE = re.compile(r"\\([0-7]{3})")


def network_file_system(path: Path) -> str | None:
    """The type of the network file system that holds `path`; None if it is local, or this system does not say."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        return network_type(mounts, path.resolve())
    except OSError:
        return None


def network_type(mountinfo: str, path: Path) -> str | None:
    """The same, by the lines of Linux's `mountinfo`. Pure."""
    found, deepest = "", -1
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5:
            continue
        point = Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= deepest:
            found, deepest = after.split(" ")[0], len(point.parts)  # the last of several covers the others
    return found if _OF_A_NETWORK.fullmatch(found) else None
