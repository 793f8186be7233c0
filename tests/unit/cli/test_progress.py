import io
import threading
import types

from igloo.cli.progress import Progress, describe
from igloo.result import QueryStats, SourceStats


class Terminal(io.StringIO):
    """A stream that says it is a terminal and tells when it is drawn on."""

    def __init__(self):
        super().__init__()
        self.drawn = threading.Event()

    def isatty(self):
        return True

    def write(self, text):
        if "rows" in text:
            self.drawn.set()
        return super().write(text)


STATS = QueryStats(
    query_id="q",
    elapsed_ms=1.0,
    rows=1200,
    sources={
        "pg": SourceStats(rows=1),
        "lake[x]": SourceStats(rows=9000, files_planned=2, files_total=84),
    },
)


def test_the_line_tells_time_rows_and_what_each_source_sent():
    assert describe(3.14, STATS) == (
        "3.1 s, 1,200 rows (pg: 1 row; lake[x]: 2 of 84 files, 9,000 rows)"
    )
    assert describe(0.04, None) == "0.0 s"


def test_nothing_is_drawn_before_the_delay_nor_off_a_terminal():
    terminal = Terminal()
    with Progress(terminal, delay_s=60) as progress:
        progress.start()
    assert terminal.getvalue() == ""
    pipe = io.StringIO()
    with Progress(pipe, delay_s=0) as progress:
        progress.start()
        assert progress._timer is None
    assert pipe.getvalue() == ""


def test_the_line_is_drawn_after_the_delay_and_cleared_by_stop(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    terminal = Terminal()
    with Progress(terminal, delay_s=0.01) as progress:
        progress.start()
        progress.follow(types.SimpleNamespace(stats=STATS))
        assert terminal.drawn.wait(10)
        progress.tell("warning: [b]careful[/b]")
        progress.stop()
        length = len(terminal.getvalue())
        assert "lake[x]: 2 of 84 files" in terminal.getvalue()
        assert "warning: [b]careful[/b]\n" in terminal.getvalue()
    assert len(terminal.getvalue()) == length
