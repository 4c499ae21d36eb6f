"""Decides a table on Spark: `spark-submit decide_on_spark.py QUERY APPLICATIONS DECISIONS`.

QUERY is what `python -m model sql --dialect spark --table applications` printed. APPLICATIONS and DECISIONS are folders
of Parquet files, on any storage that the cluster reads. The cluster needs no model, and no package but Spark.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession


def main(query: str, applications: str, decisions: str) -> None:
    """Run the query on one table, and write its answers."""
    with SparkSession.builder.appName("credit decisions").getOrCreate() as spark:
        spark.read.parquet(applications).createOrReplaceTempView("applications")
        spark.sql(Path(query).read_text(encoding="utf-8")).write.parquet(decisions)


if __name__ == "__main__":
    main(*sys.argv[1:])
