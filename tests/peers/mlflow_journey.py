"""The MLflow client, unmodified, against the running server.

Usage: mlflow_journey.py --limn PROGRAM [--database-url URL]

Experiments and runs logged by hand, a dataset as input, scikit-learn's autolog, a model logged, registered, aliased and loaded by
its alias, searches with filters and orders, histories, artifacts up and down (also in parts), bin and restore, stages, and the
errors that clients switch on. What comes back is compared with what went in, through the client's own eyes.
"""

import argparse
import math
import os
import sys
import tempfile
import warnings
from pathlib import Path

import coco_journey as base

os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
# Files over a megabyte go up in parts of five.
os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = str(1 << 20)
os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = str(5 << 20)
warnings.filterwarnings("ignore")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    args, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        server = base.Server(args.limn.resolve(), work, args.database_url)
        os.environ["MLFLOW_TRACKING_URI"] = server.url
        os.environ["MLFLOW_TRACKING_TOKEN"] = server.token
        os.chdir(work)
        try:
            journey(work)
        finally:
            server.stop()


def refused(code: str, call) -> None:
    from mlflow.exceptions import MlflowException

    try:
        call()
    except MlflowException as e:
        assert e.error_code == code, f"{e.error_code} should be {code}: {e}"
        return
    sys.exit(f"{code} was expected, and nothing was refused")


def journey(work: Path) -> None:
    import mlflow
    import numpy as np
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag, ViewType
    from sklearn.linear_model import LogisticRegression

    client = MlflowClient()
    experiment = mlflow.set_experiment("exp1")
    assert mlflow.set_experiment("exp1").experiment_id == experiment.experiment_id

    # By hand.
    with mlflow.start_run(run_name="r1") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"a": 1, "b": 2})
        mlflow.log_metric("loss", 1.0, step=0)
        mlflow.log_metrics({"loss": 0.5, "acc": float("nan"), "best": float("inf")}, step=1)
        mlflow.set_tag("t", "v")
        mlflow.log_text("hello", "notes/x.txt")
        mlflow.log_dict({"a": [1, 2]}, "conf.json")
        data = mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2], "y": [0, 1]}), source="s.csv", name="d")
        mlflow.log_input(data, context="training")
    first = run.info.run_id
    is_ = client.get_run(first)
    assert is_.info.status == "FINISHED" and is_.info.run_name == "r1" and is_.info.end_time >= is_.info.start_time
    assert is_.data.params == {"lr": "0.1", "a": "1", "b": "2"} and is_.data.tags["t"] == "v"
    assert is_.data.metrics["loss"] == 0.5 and math.isnan(is_.data.metrics["acc"]) and math.isinf(is_.data.metrics["best"])
    (read,) = is_.inputs.dataset_inputs
    assert (read.dataset.name, read.dataset.digest) == ("d", data.digest) and read.tags[0].value == "training"

    # By itself.
    mlflow.sklearn.autolog()
    with mlflow.start_run() as second:
        x = np.random.default_rng(1).random((50, 3))
        y = (x[:, 0] > 0.5).astype(int)
        model = LogisticRegression().fit(x, y)
    mlflow.sklearn.autolog(disable=True)
    auto = client.get_run(second.info.run_id)
    assert auto.data.params["C"] == "1.0" and auto.data.metrics["training_accuracy_score"] > 0.8
    assert "training_confusion_matrix.png" in [f.path for f in client.list_artifacts(second.info.run_id)]
    (made,) = auto.outputs.model_outputs
    logged = client.get_logged_model(made.model_id)
    assert str(logged.status) == "READY" and logged.params["C"] == "1.0" and logged.metrics

    # Logged, registered, loaded by its alias.
    with mlflow.start_run() as third:
        info = mlflow.sklearn.log_model(model, name="model", registered_model_name="M", input_example=x[:2])
    client.set_registered_model_alias("M", "champion", "1")
    client.set_model_version_tag("M", "1", "k", "v")
    client.set_registered_model_tag("M", "team", "vision")
    client.update_registered_model("M", "A **model**.")
    assert [str(v.version) for v in client.search_model_versions("name='M'")] == ["1"]
    (registered,) = client.search_registered_models()
    assert registered.aliases == {"champion": "1"} and registered.tags == {"team": "vision"} and registered.description == "A **model**."
    assert client.search_registered_models("tag.team = 'sound'") == []
    version = client.get_model_version_by_alias("M", "champion")
    assert str(version.version) == "1" and version.run_id == third.info.run_id and version.tags == {"k": "v"}
    loaded = mlflow.pyfunc.load_model("models:/M@champion")
    assert (loaded.predict(x) == model.predict(x)).all()
    assert (mlflow.sklearn.load_model(info.model_uri).predict(x) == model.predict(x)).all()
    # A second version, from the run's own files, and the alias moves.
    with mlflow.start_run() as fourth:
        mlflow.log_text("flavors: {}", "old/MLmodel")
    two = client.create_model_version("M", f"runs:/{fourth.info.run_id}/old", fourth.info.run_id)
    assert str(two.version) == "2"
    client.set_registered_model_alias("M", "champion", "2")
    assert str(client.get_model_version_by_alias("M", "champion").version) == "2"
    assert client.get_model_version_download_uri("M", "2").startswith("mlflow-artifacts:/")
    refused("INVALID_STATE", lambda: client.delete_model_version("M", "2"))
    client.transition_model_version_stage("M", "1", "Production")
    assert client.get_latest_versions("M", ["Production"])[0].version in (1, "1")
    client.delete_registered_model_alias("M", "champion")
    client.delete_model_version("M", "2")
    client.rename_registered_model("M", "N")
    assert client.get_registered_model("N").name == "N"

    # Found.
    found = mlflow.search_runs(filter_string="metrics.loss < 1 and params.lr = '0.1'", order_by=["metrics.loss ASC"])
    assert list(found["run_id"]) == [first], found
    for step in range(5):
        client.log_metric(first, "many", float(step), step=step)
    many = [client.create_run(experiment.experiment_id, run_name=f"n{i}") for i in range(12)]
    for i, r in enumerate(many):
        client.log_batch(r.info.run_id, [Metric("score", i / 10, 1, 0)], [Param("i", str(i))], [RunTag("even", str(i % 2 == 0))])
    page = client.search_runs([experiment.experiment_id], "tags.even = 'True'", max_results=4, order_by=["metrics.score DESC"])
    assert [r.data.params["i"] for r in page] == ["10", "8", "6", "4"] and page.token
    rest = client.search_runs([experiment.experiment_id], "tags.even = 'True'", max_results=4, order_by=["metrics.score DESC"], page_token=page.token)
    assert [r.data.params["i"] for r in rest] == ["2", "0"] and not rest.token
    assert len(client.search_runs([experiment.experiment_id], "attributes.run_name LIKE 'n1%'")) == 3
    assert len(client.search_runs([experiment.experiment_id], "attributes.run_name LIKE 'N1%'")) == 0
    assert len(client.search_runs([experiment.experiment_id], "attributes.run_name ILIKE 'N1%'")) == 3
    assert len(client.search_runs([experiment.experiment_id], "dataset.name = 'd' and dataset.context = 'training'")) == 1
    assert len(client.search_runs([experiment.experiment_id], f"attributes.run_id IN ('{first}')")) == 1
    assert [p.value for p in client.get_metric_history(first, "loss")] == [1.0, 0.5]
    assert [e.name for e in client.search_experiments(filter_string="name = 'exp1'")] == ["exp1"]
    (model_found,) = mlflow.search_logged_models([experiment.experiment_id], filter_string="name = 'model' and params.C = '1.0'", output_format="list")[:1]
    assert model_found.name == "model"

    # Files.
    assert sorted(f.path for f in client.list_artifacts(first)) == ["conf.json", "notes"]
    assert client.list_artifacts(first, "notes")[0].file_size == 5
    path = mlflow.artifacts.download_artifacts(run_id=first, artifact_path="notes/x.txt")
    assert Path(path).read_text() == "hello"
    assert mlflow.artifacts.load_dict(f"runs:/{first}/conf.json") == {"a": [1, 2]}
    big = work / "big.bin"
    big.write_bytes(np.random.default_rng(2).bytes(12 << 20))
    client.log_artifact(first, str(big), "weights")
    back = mlflow.artifacts.download_artifacts(run_id=first, artifact_path="weights/big.bin")
    assert Path(back).read_bytes() == big.read_bytes()
    folder = mlflow.artifacts.download_artifacts(run_id=first)
    assert sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file()) == ["conf.json", "notes/x.txt", "weights/big.bin"]

    # Into the bin and out of it.
    client.delete_run(many[0].info.run_id)
    assert client.get_run(many[0].info.run_id).info.lifecycle_stage == "deleted"
    deleted = client.search_runs([experiment.experiment_id], run_view_type=ViewType.DELETED_ONLY)
    assert [r.info.run_id for r in deleted] == [many[0].info.run_id]
    refused("INVALID_PARAMETER_VALUE", lambda: client.log_metric(many[0].info.run_id, "m", 1))
    client.restore_run(many[0].info.run_id)
    client.set_terminated(many[0].info.run_id, "KILLED")
    assert client.get_run(many[0].info.run_id).info.status == "KILLED"

    # What clients switch on.
    refused("RESOURCE_ALREADY_EXISTS", lambda: client.create_experiment("exp1"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_run("nope"))
    refused("INVALID_PARAMETER_VALUE", lambda: client.log_param(first, "lr", "9"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_registered_model("none"))
    refused("RESOURCE_ALREADY_EXISTS", lambda: client.create_registered_model("N"))
    refused("INVALID_PARAMETER_VALUE", lambda: client.search_runs([experiment.experiment_id], "metrics.loss < 'a'"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_model_version_by_alias("N", "champion"))
    good = os.environ["MLFLOW_TRACKING_TOKEN"]
    os.environ["MLFLOW_TRACKING_TOKEN"] = "limn_wrong"
    refused("UNAUTHENTICATED", lambda: MlflowClient().get_experiment("0"))
    os.environ["MLFLOW_TRACKING_TOKEN"] = good
    print(f"mlflow {mlflow.__version__}: runs, autolog, models, aliases, searches, files in parts, errors")


if __name__ == "__main__":
    main()
