"""Figures as Markdown. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from bench.api import ApiTimes
from bench.cameras import Cameras
from bench.cancelling import PROMISED_SECONDS, Cancelled
from bench.catalogue import Lookups
from bench.cluster import Endured, Throughput
from bench.cold_start import LIMIT, ColdStart
from bench.contenders import COPY, PEER, REENCODE, START, Work
from bench.cutting import Result
from bench.edits import MOST_MEMORY, Cost, Edited, Timelapse
from bench.events import PROMISED_P99, PROMISED_STOP, Telling
from bench.far import PROMISED as FAR_PROMISED
from bench.far import STAGES, FarBurst, FarFigures
from bench.moments import ENOUGH as DAY_ENOUGH
from bench.moments import LEAST_FOUND, MOST_FALSE, MomentFigures
from bench.pages import ENOUGH as ENOUGH_FOR_A_STEP
from bench.pages import Steps
from bench.pictures import CLIP as CLIP_SECONDS
from bench.pictures import HOUR, PictureFigures
from bench.pictures import MOST as MOST_OF_DECODING
from bench.queueing import Overhead
from bench.queues import QueueSpeed
from bench.scanning import AT_ONCE, Scans
from bench.scanning import LIMIT as SCAN_LIMIT
from bench.soak import Hour
from bench.start_up import LIMIT as ENOUGH
from bench.start_up import StartUp
from bench.targets import Target

_SCRUBBING_ENOUGH = 0.1
_MEGABYTE = 1_000_000


def cut_tables(results: Sequence[Result]) -> str:
    """Times, memory and correctness by piece of work; then bytes and requests; then pictures."""
    works = list(dict.fromkeys(result.work for result in results))
    parts = [_times(work, [result for result in results if result.work == work]) for work in works]
    return "\n\n".join([*parts, _reads(results), _pictures(results)])


def target_table(found: Iterable[Target]) -> str:
    """The targets and whether they are met."""
    rows = [[each.work, each.promise, each.measured, each.judgement] for each in found]
    return table(["work", "target", "measured", "result"], rows, words=(0, 1, 3))


def queue_table(found: Overhead) -> str:
    """The time of everything but the cut."""
    return table(
        ["from submission to `ready`, with a cutter that does nothing", ""],
        [
            ["one clip at a time, 1 worker, median (p50)", f"{found.p50 * 1000:.0f} ms"],
            ["one clip at a time, 1 worker, p99", f"{found.p99 * 1000:.0f} ms"],
            [f"{found.clips} at once, {found.workers} workers", f"{found.ready_per_second:.0f} clips/s"],
            ["accepted at the same time", f"{found.accepted_per_second:.0f} requests/s"],
        ],
    )


def soak_table(found: Sequence[Hour]) -> str:
    """What the clips of each part of a soak took, and what was held after them."""
    rows = [
        [
            f"{number}",
            f"{each.latency * 1000:.0f} ms",
            f"{each.memory / _MEGABYTE:.0f} MB",
            f"{each.descriptors}",
            f"{each.wal / _MEGABYTE:.1f} MB",
        ]
        for number, each in enumerate(found, 1)
    ]
    head = ["part", "a clip, median", "memory", "descriptors", "write-ahead log"]
    first, last = found[0], found[-1]
    kept = [
        ("memory, the last part to the first", last.memory / first.memory, 1.1),
        ("descriptors, the same", last.descriptors / first.descriptors, 1.1),
        ("a clip, the same", last.latency / first.latency, 1.2),
        ("write-ahead log, of its limit of 64 MiB", max(each.wal for each in found) / 2**26, 1.0),
    ]
    promises = [
        [what, f"{ratio:.2f}", f"at most {most:.1f}", "met" if ratio <= most else "**missed**"]
        for what, ratio, most in kept
    ]
    ends = table(["over all parts", "measured", "target", "result"], promises, words=(0, 2, 3))
    return f"{table(head, rows)}\n\n{ends}"


def far_table(found: Iterable[FarFigures]) -> str:
    """Clips of far stores, stage by stage."""
    rows = []
    for each in found:
        promised = FAR_PROMISED.get(each.work)
        target = f"{promised:.1f} s" if promised else "–"
        kept = "–" if promised is None else "met" if each.wall <= promised else "**missed**"
        stages = [f"{each.stages[stage]:.3f}" for stage in STAGES]
        measured = [f"{each.wall:.2f} s", target, kept]
        rows.append(
            [each.work, *measured, *stages, f"{each.requests}", f"{each.moved / _MEGABYTE:.1f}", f"{each.cpu:.2f}"]
        )
    head = ["30 s of `g2`, medians", "in all", "target", "result", *STAGES, "requests", "MB moved", "CPU s"]
    return table(head, rows, words=(0, 3))


def far_jobs_table(found: Sequence[FarBurst]) -> str:
    """Clips a minute by the number of jobs, beside one at a time at the same distance."""
    alone = {(each.distance, each.work): each.per_minute for each in found if each.jobs == 1}
    rows = [
        [
            f"{each.distance.round_trip * 1000:.0f} ms, {each.distance.bandwidth / _MEGABYTE:.0f} MB/s",
            each.work,
            f"{each.jobs}",
            f"{each.per_minute:.0f}",
            f"{each.per_minute / alone[each.distance, each.work]:.1f} ×",
            f"{each.cpu:.2f}",
            f"{each.memory / _MEGABYTE:.0f}",
        ]
        for each in found
    ]
    head = ["store", f"{found[0].clips} clips at once", "jobs", "clips a minute", "× one job", "CPU s each", "peak MB"]
    return table(head, rows, words=(0, 1))


def cancel_table(found: Cancelled) -> str:
    """How soon work on a cancelled clip stops."""
    kept = "met" if found.worst <= PROMISED_SECONDS else "**missed**"
    figures = f"{found.median * 1000:.0f} ms ({found.worst * 1000:.0f} ms)"
    return table(
        ["cancelling a clip while it is encoded", "median", "target", "result"],
        [[f"from the return of the cancel until encoding stops (worst of {found.runs})", figures, "within 1 s", kept]],
        words=(0, 2, 3),
    )


def events_table(found: Telling) -> str:
    """How soon clients hear of a clip, and how a node with open streams stops."""
    heard = "met" if found.p99 <= PROMISED_P99 else "**missed**"
    stopped = "met" if found.stop <= PROMISED_STOP else "**missed**"
    whole = "met" if not found.gaps else "**missed**"
    return table(
        [f"{found.clients:,} event streams of one node", "measured", "target", "result"],
        [
            [
                f"from a request in another process until a client hears of it, p99 of {found.clips} clips",
                f"{found.p99 * 1000:.0f} ms",
                f"within {PROMISED_P99 * 1000:.0f} ms",
                heard,
            ],
            ["the same, median and worst", f"{found.p50 * 1000:.0f} ms, {found.worst * 1000:.0f} ms", "", ""],
            ["processor time of the server for one event of all clients", f"{found.processor * 1000:.0f} ms", "", ""],
            ["the same of the clients, on the same cores", f"{found.client_processor * 1000:.0f} ms", "", ""],
            ["until all streams are open", f"{found.opened:.1f} s", "", ""],
            ["from SIGTERM until the process has ended", f"{found.stop:.1f} s", "within 10 s", stopped],
            ["clients that missed an event, or had one twice, over the restart", f"{found.gaps}", "none", whole],
            ["from the next start until all have what happened meanwhile", f"{found.resumed:.1f} s", "", ""],
        ],
        words=(0, 2, 3),
    )


def cluster_table(found: Endured) -> str:
    """What clients notice while parts of a cluster fail."""
    rows = [
        [
            phase.name,
            f"{len(phase.seconds):,}",
            f"{phase.seconds[len(phase.seconds) // 2] * 1000:.0f} ms",
            f"{phase.seconds[int(len(phase.seconds) * 0.99)] * 1000:,.0f} ms",
            f"{phase.seconds[-1]:.1f} s",
            f"{phase.errors}",
        ]
        for phase in found.phases
    ]
    name = {"nginx": "nginx", "haproxy": "HAProxy"}[found.balancer]
    head = [f"behind {name}", "requests", "p50", "p99", "worst", "errors after the client's retries"]
    whole = found.streams - found.broken_streams
    summary = (
        f"Of {found.accepted} clips that were accepted, {found.ready} are ready. "
        f"{whole} of {found.streams} event streams have every event once and in order."
    )
    return f"{table(head, rows)}\n\n{summary}"


def reads_table(found: Sequence[Throughput]) -> str:
    """How many reads more nodes answer, and what the cache saves."""
    rows = [
        [
            each.what,
            f"{each.nodes}",
            "yes" if each.cache else "no",
            f"{each.per_second:,.0f}",
            f"{each.p99 * 1000:.0f} ms",
            f"{each.processor * 1000:.1f} ms",
        ]
        for each in sorted(found, key=lambda each: each.what)
    ]
    head = ["read", "API nodes", "memcached", "a second", "p99", "processor time of a read"]
    gains = []
    for each in found:
        if not each.cache:
            cached = next(
                other for other in found if (other.what, other.nodes, other.cache) == (each.what, each.nodes, True)
            )
            gains.append(f"{cached.per_second / each.per_second:.1f} times as many reads of {each.what}")
    return f"{table(head, rows, words=(0,))}\n\nWith memcached, three nodes answer {' and '.join(gains)} as without."


def api_tables(found: ApiTimes) -> str:
    """What reads cost with and without a cache, and how many requests a node takes."""
    reads = []
    for each in found.reads:
        costs = [each.plain, each.cached]
        ratio = f"{each.plain.median / each.cached.median:.1f}" if each.cached else ""
        times = [f"{cost.median * 1000:.1f} ms" if cost else "not used" for cost in costs]
        work = [f"{cost.processor * 1000:.1f} ms" if cost else "" for cost in costs]
        reads.append([each.what, each.records, *times, ratio, *work])
    submissions = [
        [
            each.records,
            f"{each.clients}",
            f"{each.rate:.0f}",
            f"{each.cost.median * 1000:.1f} ms",
            f"{each.cost.processor * 1000:.1f} ms",
        ]
        for each in found.submissions
    ]
    head = ["reads of", "records", "without cache", "with cache", "ratio", "processor without", "processor with"]
    of_reads = table(head, reads, words=(0, 1))
    of_submissions = table(["records", "clients", "requests a second", "median", "processor"], submissions)
    return f"{of_reads}\n\n{of_submissions}"


def catalogue_table(found: Sequence[Lookups]) -> str:
    """How long look-ups take in a small and in a large catalogue."""
    head = ["recordings", "file", "covering a span", "p99", "neighbours", "p99", "a page of 50", "p99", "cameras"]
    rows = []
    for each in found:
        times = [f"{seconds * 1000:.2f} ms" for pair in (each.covering, each.neighbours, each.page) for seconds in pair]
        rows.append([f"{each.recordings:,}", f"{each.size / 1e9:.1f} GB", *times, f"{each.cameras * 1000:.1f} ms"])
    return table(head, rows, words=())


def cameras_table(found: Cameras) -> str:
    """What seams cost, and how soon a waiting clip is ready."""
    ratio = found.three_files / found.one_file
    return table(
        ["clips by wall clock, warm worker", "median", "target", "result"],
        [
            ["60 s from one recording", f"{found.one_file:.2f} s", "", ""],
            ["60 s over three recordings", f"{found.three_files:.2f} s", "", ""],
            ["ratio", f"{ratio:.2f} ×", "under 1.3 ×", "met" if ratio < 1.3 else "**missed**"],
            [
                f"from a late arrival event to `ready` (worst of {found.runs})",
                f"{found.arrival:.2f} s ({found.arrival_worst:.2f} s)",
                "within 2 s",
                "met" if found.arrival_worst <= 2 else "**missed**",
            ],
        ],
        words=(0, 2, 3),
    )


def start_up_table(found: Sequence[StartUp]) -> str:
    """What starting costs, with a target for our own programs."""
    rows = []
    for each in found:
        target = each.program.startswith("cutback")
        kept = ("met" if each.seconds < ENOUGH else "**missed**") if target else ""
        asked = f"under {ENOUGH * 1000:.0f} ms" if target else ""
        rows.append([f"`{each.program}`", f"{each.seconds * 1000:.0f} ms", asked, kept])
    return table(["start-up", "processor time", "target", "result"], rows, words=(0, 2, 3))


def scans_table(found: Scans) -> str:
    """What scanning costs, in processor time."""
    rows = [(f"{found.files:,} new files at once ({found.rate:.0f} a second)", found.first)]
    rows += [(f"{AT_ONCE} new files in each scan", found.steady)]
    shown = [
        [
            what,
            f"{cost * 1000:.1f} ms",
            f"under {SCAN_LIMIT * 1000:.0f} ms",
            "met" if cost < SCAN_LIMIT else "**missed**",
        ]
        for what, cost in rows
    ]
    shown.append(["each file that is known already", f"{found.idle * 1000:.2f} ms", "", ""])
    head = ["files of ten seconds", "processor time a file", "target", "result"]
    return table(head, shown, words=(0, 2, 3))


def edits_table(found: Sequence[Edited]) -> str:
    """What edits cost, beside the ffmpeg command line."""
    rows = []
    costs = {each.work.name: each.cutback for each in found}
    for each in found:
        ours, theirs, limit = each.cutback, each.ffmpeg, each.work.limit
        beside = theirs if each.work.beside == "ffmpeg" else costs[each.work.beside]
        ratio = None if beside is None else ours.cpu / beside.cpu
        met = "" if limit is None or ratio is None else "met" if ratio <= limit else "**missed**"
        fits = "" if ours.peak <= each.work.memory else " (**missed**)"
        rows.append(
            [
                each.work.name,
                f"{ours.cpu:.1f} s",
                "" if theirs is None else f"{theirs.cpu:.1f} s",
                "" if ratio is None else f"{ratio:.2f}",
                "" if limit is None else f"at most {limit:g}{'' if each.work.beside == 'ffmpeg' else ' of a copy'}",
                met,
                f"{ours.wall:.1f} s",
                "" if theirs is None else f"{theirs.wall:.1f} s",
                _megabytes(ours.size),
                "" if theirs is None else _megabytes(theirs.size),
                _psnr(ours),
                _psnr(theirs),
                f"{_megabytes(ours.peak)}{fits}",
            ]
        )
    head = ["30 s of 1080p30", "processor", "ffmpeg", "ratio", "target", "result", "wall", "ffmpeg", "clip", "ffmpeg"]
    memory = f"memory, at most {_megabytes(MOST_MEMORY)}"
    return table([*head, "PSNR", "ffmpeg", memory], rows, words=(0, 4, 5))


def _psnr(cost: Cost | None) -> str:
    return "" if cost is None or cost.psnr is None else f"{cost.psnr:.1f} dB"


def timelapse_table(found: Timelapse) -> str:
    """A timelapse, beside decoding and reading all of the recording."""
    decoding = found.decoding * found.minutes
    faster, fewer = decoding / found.cutback.cpu, found.recording / found.cutback.read
    return table(
        ["two hours in 30 s, 900 frames", "measured", "target", "result"],
        [
            ["processor time", f"{found.cutback.cpu:.1f} s", "", ""],
            [
                f"the same of ffmpeg for decoding all pictures ({found.minutes} × one minute)",
                f"{decoding:.0f} s, {faster:.0f} × as much",
                "at least 15 ×",
                "met" if faster >= 15 else "missed",
            ],
            ["bytes read", _megabytes(found.cutback.read), "", ""],
            [
                "bytes of the recording",
                f"{_megabytes(found.recording)}, {fewer:.1f} × as many",
                "at least 3 ×",
                "met" if fewer >= 3 else "missed",
            ],
            ["memory, parent and child", _megabytes(found.cutback.peak), "", ""],
        ],
        words=(0, 2, 3),
    )


def cold_start_table(found: ColdStart) -> str:
    """What a cold start imports."""
    kept = "met" if found.seconds < LIMIT else "**missed**"
    head = table(
        [f"cold start, Python {found.python}", "measured", "target", "result"],
        [
            ["importing the handler", f"{found.seconds * 1000:.0f} ms", f"under {LIMIT * 1000:.0f} ms", kept],
            ["the zip", f"{found.zipped / _MEGABYTE:.1f} MB", "", ""],
            ["unpacked", f"{found.unpacked / _MEGABYTE:.1f} MB", "under 250 MB", "met"],
        ],
        words=(0, 2, 3),
    )
    rows = [[f"`{name}`", f"{seconds * 1000:.0f} ms"] for name, seconds in found.costly]
    listed = table(["`-X importtime`: package, including what it is the first to import", ""], rows)
    return f"{head}\n\n{listed}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: Sequence[int] = (0,)) -> str:
    """A Markdown table that is also aligned in a terminal. The columns in `words` are aligned left."""
    lines = [list(head), *map(list, rows)]
    widths = [max(3, *(len(line[n]) for line in lines)) for n in range(len(head))]
    rule = [":" + "-" * (width - 1) if n in words else "-" * (width - 1) + ":" for n, width in enumerate(widths)]
    text = [
        [cell.ljust(widths[n]) if n in words else cell.rjust(widths[n]) for n, cell in enumerate(line)]
        for line in lines
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [text[0], rule, *text[1:]])


def _times(work: Work, results: list[Result]) -> str:
    by_name = {result.contender: result for result in results if result.runs}
    head = ["median of the runs", "runs", "wall s", "× copy", "× smartcut", "× re-encode"]
    rows = []
    for result in results:
        if not result.runs:
            rows.append([result.contender, "0", "failed", *["–"] * 7])
            continue
        ratios = [_ratio(result, by_name.get(peer)) for peer in (COPY, PEER, REENCODE)]
        rows.append(
            [
                result.contender,
                str(len(result.runs)),
                f"{result.wall:.3f}",
                *ratios,
                f"{result.cpu:.2f}",
                _megabytes(result.peak),
                _megabytes(result.clip_bytes),
                str(result.verdict or "–"),
            ]
        )
    missing = [name for name in (COPY, REENCODE, PEER) if name not in {result.contender for result in results}]
    rows += [[name, "0", "not installed", *["–"] * 7] for name in missing if _belongs(name, work)]
    title = f"**{work.seconds} s from {START} s of `{work.source.name}`**"
    return f"{title}\n\n" + table([*head, "CPU s", "peak MB", "clip MB", "first … last frame"], rows, words=(0, 9))


def _belongs(name: str, work: Work) -> bool:
    long = work.source.name.endswith("h")
    return name == COPY or (not long and (name == PEER or work.seconds <= 60))


def _ratio(result: Result, other: Result | None) -> str:
    """How many times the other's time it took."""
    if other is None:
        return "–"
    value = result.wall / other.wall
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _reads(results: Sequence[Result]) -> str:
    rows = []
    for result in results:
        if not result.runs:
            continue
        cold, warm = result.first or result.latest, result.latest
        rows.append(
            [
                f"{result.contender}, {result.work}",
                _megabytes(result.clip_bytes),
                _megabytes(cold.bytes_read),
                _requests(cold.requests),
                _megabytes(warm.bytes_read),
                _requests(warm.requests),
                f"{warm.bytes_read / result.clip_bytes:.3f}",
            ]
        )
    head = ["read from the source", "clip MB", "first MB", "requests", "later MB", "requests", "later ÷ clip"]
    return table(head, rows)


def _pictures(results: Sequence[Result]) -> str:
    rows = [
        [
            f"{result.contender}, {result.work}",
            str(result.quality.changed),
            _decibels(result.quality.lowest),
            _decibels(result.quality.mean),
        ]
        for result in results
        if result.quality is not None
    ]
    return table(["frames that differ from the source", "frames", "lowest PSNR dB", "mean dB"], rows)


def _requests(count: int | None) -> str:
    return "–" if count is None else str(count)


def _megabytes(value: int) -> str:
    return f"{value / _MEGABYTE:.1f}"


def _decibels(value: float) -> str:
    return "identical" if math.isinf(value) else f"{value:.1f}"


def queues_table(found: Sequence[QueueSpeed]) -> str:
    """The speed of each kind of queue."""

    def ms(*seconds: float) -> str:
        return ", ".join(f"{1000 * each:.1f}" for each in seconds) + " ms"

    figures: list[tuple[str, Callable[[QueueSpeed], str]]] = [
        ("one message sent: p50, p99", lambda one: ms(one.send_p50, one.send_p99)),
        ("sent one by one by four threads", lambda one: f"{one.sent_per_second:,.0f}/s"),
        ("received by tens and deleted, by four threads", lambda one: f"{one.done_per_second:,.0f}/s"),
        ("sent together", lambda one: f"{one.fill_per_second:,.0f}/s"),
        (f"`depth` with {found[0].waiting:,} waiting", lambda one: ms(one.depth)),
        (f"one received with {found[0].waiting:,} waiting: p50, p99", lambda one: ms(one.receive_p50, one.receive_p99)),
        ("memory of all servers then", lambda one: f"{one.memory / 1e6:,.0f} MB" if one.memory else "none"),
    ]
    return table(["", *(each.name for each in found)], [[what, *map(tell, found)] for what, tell in figures])


def _met(met: bool) -> str:  # noqa: FBT001 - a verdict
    return "met" if met else "**missed**"


def moments_table(figures: MomentFigures) -> str:
    """Rides found and false alarms, by sea; then the time for a day."""
    rows = [
        [
            f"`{each.camera}`",
            "tuning" if each.tuned else "measurement",
            str(each.rides),
            str(each.found),
            str(each.false_alarms),
        ]
        for each in figures.findings
    ]
    measured = [each for each in figures.findings if not each.tuned]
    rides, found = sum(each.rides for each in measured), sum(each.found for each in measured)
    minutes = sum(each.seconds for each in measured) / 60
    alarms = sum(each.false_alarms for each in measured) * 10 / minutes
    day = figures.day
    seas = table(["sea", "used for", "rides", "found", "false alarms"], rows, words=(0, 1))
    cost = figures.scrubbing
    share = (cost.sprites + cost.waveform) / cost.decode
    day_of = f"{day.hours} recordings of an hour with 30 frames per second"
    scrubbing = (
        f"sprites ({cost.sprites:.2f} s) and waveform ({cost.waveform:.2f} s) of {cost.seconds} s with 1920 × 1080 "
        f"pixels: their share of the processor time of decoding it all ({cost.decode:.2f} s)"
    )
    enough = found >= LEAST_FOUND * rides
    limits = [
        [f"rides found, {found} of {rides}", f"{found / rides:.0%}", f"at least {LEAST_FOUND:.0%}", _met(enough)],
        ["false alarms in ten minutes", f"{alarms:.1f}", f"at most {MOST_FALSE:.0f}", _met(alarms <= MOST_FALSE)],
        [f"a day ({day_of}), the first time", f"{day.cold:.1f} s", "", ""],
        [
            "a day, with activity kept",
            f"{day.warm:.2f} s",
            f"within {DAY_ENOUGH:.0f} s",
            _met(day.warm <= DAY_ENOUGH),
        ],
        ["a day, with activity kept, as a command", f"{day.process:.2f} s", "", ""],
        [scrubbing, f"{share:.2f}", f"at most {_SCRUBBING_ENOUGH:.2f}", _met(share <= _SCRUBBING_ENOUGH)],
    ]
    checked = table(["moments", "measured", "target", "result"], limits, words=(0, 2, 3))
    said = "Of longer recordings, the sprites cost hardly more: there are at most 100."
    return f"{seas}\n\n{checked}\n\n{said}"


def pictures_table(figures: PictureFigures) -> str:
    """What sprites and a waveform of an hour cost, and what the pictures of a clip add to copying it."""
    *made, decoded = figures.hour
    rows = [
        [each.name, f"{each.seconds:.2f}", f"{each.seconds / decoded.seconds:.3f}", _megabytes(each.memory)]
        for each in figures.hour
    ]
    share = sum(each.seconds for each in made) / decoded.seconds
    length = "an hour" if figures.seconds == HOUR else f"{figures.seconds} s"
    hour = table([f"{length} of a recording", "CPU s", "share", "memory MB"], rows)
    kept = "met" if share <= MOST_OF_DECODING else "not met"
    said = f"Sprites and waveform together: {share:.3f} of decoding all of it (at most {MOST_OF_DECODING}: {kept})."
    copied, *own = figures.clip
    first = [f"the clip itself, {CLIP_SECONDS} s, copied", f"{copied.seconds:.2f}", _megabytes(copied.memory)]
    clip = table(
        ["a clip", "CPU s", "memory MB"],
        [first, *([f"+ {each.name}", f"{each.seconds:.2f}", _megabytes(each.memory)] for each in own)],
    )
    return f"{hour}\n\n{said}\n\n{clip}"


def pages_table(found: Iterable[Steps]) -> str:
    """How long steps take in the cutting room."""
    rows = [
        [
            f"a step {each.direction}",
            str(len(each.seconds)),
            f"{each.median * 1000:.0f} ms",
            f"{each.p95 * 1000:.0f} ms",
            f"{max(each.seconds) * 1000:.0f} ms",
            f"median under {ENOUGH_FOR_A_STEP * 1000:.0f} ms",
            "met" if each.median < ENOUGH_FOR_A_STEP else "**missed**",
        ]
        for each in found
    ]
    return table(["cutting room", "steps", "median", "95%", "longest", "target", "result"], rows, words=(0, 5, 6))
