"""PyTorch Lightning's MLFlowLogger, unmodified, against the running server.

Usage: lightning_journey.py --limn PROGRAM [--database-url URL]

A small network is trained for a few epochs on random numbers; the logger makes the experiment and the run, logs hyperparameters, metrics by step, and
checkpoints as artifacts. What the server then says is compared with what was trained.
"""

import argparse
import logging
import os
import tempfile
import warnings
from pathlib import Path

import coco_journey as base

os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
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
            journey(server)
        finally:
            os.chdir("/")
            server.stop()


def journey(server: "base.Server") -> None:
    import lightning as L
    import torch
    from lightning.pytorch.callbacks import ModelCheckpoint
    from lightning.pytorch.loggers import MLFlowLogger
    from mlflow import MlflowClient

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.manual_seed(3)

    class Net(L.LightningModule):
        def __init__(self, rate: float = 0.05, width: int = 8):
            super().__init__()
            self.save_hyperparameters()
            self.net = torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.ReLU(), torch.nn.Linear(width, 1))
            self.seen: list[float] = []

        def training_step(self, batch, _):
            x, y = batch
            loss = torch.nn.functional.mse_loss(self.net(x), y)
            self.log("loss", loss)
            return loss

        def validation_step(self, batch, _):
            x, y = batch
            self.log("val_loss", torch.nn.functional.mse_loss(self.net(x), y))

        def on_validation_epoch_end(self):
            self.seen.append(float(self.trainer.callback_metrics["val_loss"]))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=self.hparams.rate)

    x = torch.randn(256, 4)
    data = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
    train, valid = (torch.utils.data.DataLoader(data, batch_size=16, shuffle=s) for s in (True, False))
    logger = MLFlowLogger(experiment_name="lightning", run_name="first", log_model="all", tags={"team": "vision"})
    net = Net()
    trainer = L.Trainer(
        max_epochs=4, logger=logger, log_every_n_steps=1, enable_progress_bar=False, enable_model_summary=False,
        num_sanity_val_steps=0, callbacks=[ModelCheckpoint(dirpath="kept", monitor="val_loss", save_top_k=2)],
    )
    trainer.fit(net, train, valid)

    client = MlflowClient()
    experiment = client.get_experiment_by_name("lightning")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id == logger.run_id and run.info.status == "FINISHED", run.info
    assert run.info.run_name == "first" and run.data.tags["team"] == "vision", run.data.tags
    assert run.data.params == {"rate": "0.05", "width": "8"}, run.data.params
    losses = client.get_metric_history(logger.run_id, "loss")
    assert [m.step for m in losses] == list(range(64)), [m.step for m in losses]
    valid_losses = [m.value for m in client.get_metric_history(logger.run_id, "val_loss")]
    assert len(valid_losses) == 4 and all(abs(a - b) < 1e-6 for a, b in zip(valid_losses, net.seen)), (valid_losses, net.seen)
    assert valid_losses[-1] < valid_losses[0], "it learned"
    # A folder a checkpoint, named after it.
    kept = [f.path for f in client.list_artifacts(logger.run_id) if f.is_dir]
    assert kept, "checkpoints were logged"
    folder = client.download_artifacts(logger.run_id, kept[-1])
    (file,) = list(Path(folder).glob("*.ckpt"))
    again = Net.load_from_checkpoint(file, weights_only=False)
    assert again.hparams.width == 8
    print(f"Lightning: 64 losses and 4 of validation as logged, parameters, tags, {len(kept)} checkpoints up and one down again")


if __name__ == "__main__":
    main()
