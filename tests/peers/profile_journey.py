"""Profiles of random and real tables, by the command line, against pandas and polars.

Usage: profile_journey.py --limn PROGRAM [--seed N]

Checks. What Limn calls exact equals the peers' figures: counts, missing, distinct, extremes, mean, variance, skewness, kurtosis,
quantiles, modes, histograms (NumPy over the same edges), value counts, duplicate rows, missing patterns, Pearson's and
Spearman's coefficients. What it calls sketched lies within the error it states. CSV, JSONL and Parquet of one table give the same.
The statistics in Hugging Face's shape are those of its rule, computed here with polars.
"""

import argparse
import json
import math
import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from sklearn import datasets

QUANTILES = {"p0_5": 0.005, "p1": 0.01, "p5": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "p95": 0.95, "p99_5": 0.995}


def profile(limn: Path, files: list[Path], fmt: str = "json") -> dict:
    out = subprocess.run([limn, "profile", "--format", fmt, *files], capture_output=True, check=True, text=True).stdout
    return json.loads(out)


def near(got: float, want: float, what: str, rel: float = 1e-9, tiny: float = 1e-9) -> None:
    assert math.isclose(got, want, rel_tol=rel, abs_tol=tiny), f"{what}: {got} is not {want}"


def check_numbers(n: dict, values: np.ndarray, what: str) -> None:
    """`values` are finite, as floats."""
    s = pd.Series(values)
    assert n["count"] == len(values), what
    assert (n["min"], n["max"]) == (values.min(), values.max()), what
    scale = max(abs(values).max(), 1e-300)
    near(n["mean"], math.fsum(values) / len(values), f"{what} mean", tiny=1e-12 * scale)
    near(n["sum"], math.fsum(values), f"{what} sum", tiny=1e-9 * scale)
    if len(values) > 1:
        near(n["variance"], s.var(), f"{what} variance", rel=1e-8, tiny=1e-12 * scale * scale)
        near(n["std"], s.std(), f"{what} std", rel=1e-8, tiny=1e-9 * scale)
    spread = s.std() if len(values) > 1 else 0
    if len(values) > 3 and spread > 1e-9 * scale:
        near(n["skewness"], s.skew(), f"{what} skewness", rel=1e-6, tiny=1e-7)
        near(n["kurtosis"], s.kurt(), f"{what} kurtosis", rel=1e-6, tiny=1e-6)
    assert (n["zeros"], n["negatives"]) == (int((values == 0).sum()), int((values < 0).sum())), what
    ordered = np.sort(values)
    error = n["rank_error"]
    for name, q in QUANTILES.items():
        got = n["quantiles"][name]
        if error == 0:
            near(got, s.quantile(q), f"{what} {name}", tiny=1e-9 * scale)
        else:
            low, high = np.searchsorted(ordered, got, "left") / len(values), np.searchsorted(ordered, got, "right") / len(values)
            assert low - 2 * error <= q <= high + 2 * error, f"{what} {name}: rank {low} to {high}, error {error}"
    hist = n["histogram"]
    counts, edges = np.array(hist["counts"]), np.array(hist["edges"])
    assert counts.sum() == len(values), f"{what} histogram"
    want = np.histogram(values, bins=edges)[0] if len(set(edges)) == len(edges) else histogram(values, edges)
    if error == 0:
        assert (counts == want).all(), f"{what} histogram: {counts} is not {want}"
        near(n["mean_deviation"], np.abs(values - values.mean()).mean(), f"{what} mean deviation", rel=1e-8, tiny=1e-12 * scale)
        mode = s.mode()[0]
        assert n["mode"]["value"] == mode and n["mode"]["count"] == int((s == mode).sum()), f"{what} mode"
        q1, q3 = n["quantiles"]["q1"], n["quantiles"]["q3"]
        fences = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
        assert n["outliers"] == int(((values < fences[0]) | (values > fences[1])).sum()), f"{what} outliers"
    else:
        assert (abs(counts - want) <= 4 * error * len(values)).all(), f"{what} histogram"


def histogram(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Half-open bins, the last one closed, where the last edge comes twice."""
    at = np.searchsorted(edges[:-1], values, "right") - 1
    return np.bincount(at, minlength=len(edges) - 1)


def check_table(limn: Path, frame: pd.DataFrame, files: list[Path], what: str) -> None:
    found = profile(limn, files)
    assert found["findings"]["total"] == 0, found["findings"]
    assert len(found["tables"]) == 1, [t["name"] for t in found["tables"]]
    p = found["tables"][0]["profile"]
    assert p["rows"] == len(frame), what
    assert [c["name"] for c in p["columns"]] == list(frame.columns), what
    for c in p["columns"]:
        check_column(c, frame[c["name"]], f"{what} {c['name']}")
    if p["duplicates"]["exact"]:
        assert p["duplicates"]["rows"] == int(frame.duplicated().sum()), f"{what} duplicates: {p['duplicates']} is not {frame.duplicated().sum()}"
    assert p["missing"]["cells"] == int(frame.isna().sum().sum()), what
    assert p["missing"]["complete_rows"] == int((~frame.isna().any(axis=1)).sum()), what
    want = frame.isna().apply(lambda r: tuple(frame.columns[r]), axis=1).value_counts() if len(frame) <= 5000 else None
    if want is not None:
        for pattern in p["missing"]["patterns"]:
            assert want[tuple(pattern["columns"])] == pattern["rows"], f"{what} {pattern}"
    if (c := p["correlations"]) and c["n"] == len(frame):
        numbers = frame[c["columns"]].apply(lambda s: s.astype("int64") if s.dtype.kind == "M" else s.astype(float))
        for kind in ("pearson", "spearman"):
            peer = numbers.corr(kind)
            for i, a in enumerate(c["columns"]):
                for j, b in enumerate(c["columns"]):
                    got, true = c[kind][i][j], peer.loc[a, b]
                    if got is not None and not math.isnan(true):
                        near(got, true, f"{what} {kind} of {a} and {b}", rel=1e-5, tiny=1e-5)
    print(f"{what}: {p['rows']} rows, {len(p['columns'])} columns agree")


def check_column(c: dict, s: pd.Series, what: str) -> None:
    there = s.dropna()
    assert (c["count"], c["missing"]) == (len(there), len(s) - len(there)), f"{what}: {c['count']}, {c['missing']}"
    unique, error = c["unique"]["value"], c["unique"]["error"]
    if error == 0:
        assert unique == there.nunique(), f"{what} distinct: {unique} is not {there.nunique()}"
    else:
        assert abs(unique / there.nunique() - 1) < 4 * error, f"{what} distinct: {unique} of {there.nunique()}"
    if not len(there):
        return
    if s.dtype.kind in "iuf" and s.dtype != bool:
        assert c["kind"] in ("integer", "float"), f"{what}: {c['kind']}"
        check_numbers(c["number"], there.astype(float).to_numpy(), what)
    elif s.dtype.kind == "M":
        assert c["kind"] == "datetime", what
        micros = there.astype("datetime64[us]").astype("int64")
        assert (c["time"]["min"], c["time"]["max"]) == (micros.min(), micros.max()), what
    elif s.dtype == bool or set(map(type, there)) == {bool}:
        assert c["kind"] == "bool", what
    else:
        lengths = there.str.len().to_numpy().astype(float)
        assert c["kind"] in ("category", "text"), f"{what}: {c['kind']}"
        check_numbers(c["text"]["lengths"], lengths, f"{what} length")
        counts = there.value_counts()
        for top in c["top"]["values"]:
            if len(top["value"]) <= 100:
                true = counts[top["value"]]
                assert true - c["top"]["low_by"] <= top["count"] <= true, f"{what} {top}"


def random_frame(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    holes = lambda values, share: pd.Series(values).mask(rng.random(rows) < share)
    words = np.array(["alpha", "Beta", "gamma delta", "ünder", "漢字", "x, \"quoted\"", "line\nbreak"])
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "normal": rng.normal(5, 2, rows),
            "heavy": np.exp(rng.normal(0, 3, rows)).round(3),
            "far": 1e9 + rng.random(rows),
            "small_int": rng.integers(-5, 6, rows),
            "big_int": rng.integers(-(2**50), 2**50, rows),
            "holes": holes(rng.normal(0, 1, rows).round(2), 0.3).astype(float),
            "category": holes(rng.choice(words, rows), 0.1),
            "text": [f"{rng.choice(words)} {i % 977}" for i in range(rows)],
            "flag": rng.random(rows) < 0.3,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, rows), unit="D"),
            "constant": 7,
        }
    )


def check_hugging_face(limn: Path, file: Path, frame: pd.DataFrame) -> None:
    found = profile(limn, [file], "statistics")
    assert (found["num_examples"], found["partial"]) == (len(frame), False)
    by_name = {s["column_name"]: s for s in found["statistics"]}
    for name in frame.columns:
        if frame[name].dtype.kind not in "if":
            continue
        got = by_name[name]["column_statistics"]
        s = pl.Series(frame[name].to_numpy()).fill_nan(None) if frame[name].dtype.kind == "f" else pl.Series(frame[name].to_numpy())
        assert got["nan_count"] == s.null_count()
        for key, want in (("min", s.min()), ("max", s.max()), ("mean", s.mean()), ("median", s.median()), ("std", s.std())):
            near(got[key], round(want, 5), f"statistics {name} {key}", rel=1e-9, tiny=2e-5)
        assert sum(got["histogram"]["hist"]) == len(s) - s.null_count()
        assert len(got["histogram"]["bin_edges"]) == len(got["histogram"]["hist"]) + 1
    print(f"statistics: {len(found['statistics'])} columns in Hugging Face's shape")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    args, _ = parser.parse_known_args()
    rng = np.random.default_rng(args.seed)
    random.seed(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, load in (("iris", datasets.load_iris), ("wine", datasets.load_wine), ("digits", datasets.load_digits), ("diabetes", datasets.load_diabetes)):
            frame = load(as_frame=True).frame
            file = folder / f"{name}.csv"
            frame.to_csv(file, index=False)
            check_table(args.limn, pd.read_csv(file, float_precision="round_trip"), [file], name)
        for rows in (1, 2, 3, 50, 2000, 60_000):
            frame = random_frame(rng, rows)
            csv, jsonl, parquet = (folder / f"r{rows}.{e}" for e in ("csv", "jsonl", "parquet"))
            frame.to_csv(csv, index=False)
            check_table(args.limn, pd.read_csv(csv, parse_dates=["day"], float_precision="round_trip"), [csv], f"random csv of {rows}")
            pl.from_pandas(frame).write_parquet(parquet, row_group_size=max(rows // 5, 1), compression=random.choice(["zstd", "snappy", "gzip", "lz4", "brotli", "uncompressed"]))
            check_table(args.limn, frame, [parquet], f"random parquet of {rows}")
            lines = frame.assign(day=frame["day"].dt.strftime("%Y-%m-%d"))
            lines.to_json(jsonl, orient="records", lines=True, double_precision=15)
            back = pd.DataFrame([json.loads(line) for line in jsonl.read_text().splitlines()])
            back["day"] = pd.to_datetime(back["day"])
            check_table(args.limn, back[list(frame.columns)], [jsonl], f"random jsonl of {rows}")
        check_hugging_face(args.limn, folder / "r2000.csv", pd.read_csv(folder / "r2000.csv", float_precision="round_trip"))
        # Several files are one table.
        frame = random_frame(rng, 9000)
        parts = []
        for n, cut in enumerate(np.array_split(np.arange(9000), 4)):
            parts.append(folder / f"part-{n}.csv")
            frame.iloc[cut].to_csv(parts[-1], index=False)
        whole = pd.concat([pd.read_csv(f, parse_dates=["day"], float_precision="round_trip") for f in parts], ignore_index=True)
        check_table(args.limn, whole, parts, "four files")


if __name__ == "__main__":
    main()
