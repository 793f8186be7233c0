"""A pandas frame joined with files, streamed back batch by batch."""

import tempfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import igloo

VISITS = 200_000


def main() -> None:
    """Run the story."""
    pages = pd.DataFrame({"page": [0, 1, 2], "title": ["Start", "Docs", "Blog"]})
    with tempfile.TemporaryDirectory() as folder, igloo.connect() as db:
        visits = pa.table({"visit": range(VISITS), "page": [i % 4 for i in range(VISITS)]})
        pq.write_table(visits, f"{folder}/visits.parquet")
        db.sql(f"CREATE CATALOG web USING files WITH (path = '{folder}')")
        db.register("pages", pages)
        result = db.sql("SELECT title, visit FROM web.main.visits JOIN pages USING (page)")
        rows = batches = 0
        for batch in result:
            rows += batch.num_rows
            batches += 1
        print(rows, "rows in", "many batches" if batches > 1 else "one batch")
        others = "SELECT count(*) FROM web.main.visits WHERE page NOT IN (SELECT page FROM pages)"
        print(*db.sql(others).fetchone(), "visits of other pages")


if __name__ == "__main__":
    main()
