"""Random statements over random tables, answered by Igloo as PostgreSQL and DuckDB answer them.

``IGLOO_TEST_SEED`` asks other statements, ``IGLOO_TEST_STATEMENTS`` says how many, and
``IGLOO_TEST_SECONDS`` ends the run when so much time has gone by.
"""

import os

from fuzz.campaign import CONSTRUCTS, run
from fuzz.replay import explain

SEED = os.environ.get("IGLOO_TEST_SEED", "1")
STATEMENTS = int(os.environ.get("IGLOO_TEST_STATEMENTS", "450"))
SECONDS = float(os.environ.get("IGLOO_TEST_SECONDS", "inf"))

#: From so many statements on, shares mean something.
FEW = 400
REJECTED_SHARE_MAX = 0.01
EMPTY_SHARE_MAX = 0.4


def test_random_statements_are_answered_as_the_judges_answer_them(engines):
    tally, finding = run(engines, SEED, STATEMENTS, SECONDS)
    print(f"\nIGLOO_TEST_SEED={SEED}: {tally.report()}")
    assert finding is None, explain(engines, finding)
    if tally.statements >= FEW:
        assert max(tally.rejections.values(), default=0) <= tally.statements * REJECTED_SHARE_MAX, (
            tally.reasons
        )
        assert tally.empty <= tally.statements * EMPTY_SHARE_MAX
        assert CONSTRUCTS - set(tally.constructs) == set()
