"""A messy CSV becomes Parquet, partitioned by month."""

import tempfile
from pathlib import Path

import igloo

MESSY = """\
when;shop; amount
2024-01-03;berlin;"12,50"
2024-01-09; BERLIN ;"7,00"
2024-02-01;Paris;
2024-02-11;paris;"3,25"
"""

CLEAN = """
COPY (
  SELECT date_part('month', "when") AS month,
         initcap(trim(shop)) AS shop,
         cast(replace(" amount", ',', '.') AS numeric(8, 2)) AS amount
  FROM messy
  WHERE " amount" IS NOT NULL
) TO '{folder}/clean' STORED AS PARQUET PARTITIONED BY (month)
"""


def main() -> None:
    """Run the story."""
    with tempfile.TemporaryDirectory() as folder, igloo.connect() as db:
        Path(folder, "messy.csv").write_text(MESSY)
        db.sql(
            f"CREATE EXTERNAL TABLE messy STORED AS CSV LOCATION '{folder}/messy.csv'"
            " OPTIONS (delimiter ';')"
        )
        (written,) = db.sql(CLEAN.format(folder=folder)).fetchone()
        print(written, "rows written to", *sorted(p.name for p in Path(folder, "clean").iterdir()))
        db.sql(f"CREATE CATALOG files USING files WITH (path = '{folder}')")
        question = (
            "SELECT shop, month, sum(amount) FROM files.main.clean GROUP BY 1, 2 ORDER BY 1, 2"
        )
        for shop, month, amount in db.sql(question).fetchall():
            print(shop, month, amount)


if __name__ == "__main__":
    main()
