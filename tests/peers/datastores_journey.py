"""Datastores against real servers: register, browse, import photos, refresh after adding ten, rotate the key.

Usage: datastores_journey.py --limn PROGRAM [--database-url URL] [--photos FOLDER]

FOLDER holds at least forty JPEG photos; without it they are drawn.

Starts moto (S3), wsgidav (WebDAV), Python's own web server, and, where they are installed, OpenSSH (SFTP), Azurite (npm), MariaDB;
PostgreSQL is the one that the tests run on. What is not installed is named and left out. At the end no credential of the run is in the data directory
or the server's log.
"""

import argparse
import contextlib
import getpass
import http.server
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

import coco_journey as base
from PIL import Image

SECRETS: list[str] = []
PHOTOS = 30


def secret() -> str:
    made = "hunter2" + "".join(random.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(24))
    SECRETS.append(made)
    return made


OWN: list[Path] = []


def photos(first: int, count: int) -> dict[str, bytes]:
    rng = random.Random(first)
    out = {}
    if OWN:
        for n, path in enumerate(OWN[first : first + count], first):
            out[f"street/{['day', 'über nacht'][n % 2]}/{n:03}.jpg"] = path.read_bytes()
        return out
    with tempfile.TemporaryDirectory() as folder:
        for n in range(first, first + count):
            path = Path(folder) / "p.jpg"
            Image.effect_noise((rng.randint(60, 200), rng.randint(60, 200)), 70).convert("RGB").save(path)
            out[f"street/{['day', 'über nacht'][n % 2]}/{n:03}.jpg"] = path.read_bytes()
    return out


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(at: int, what: str) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", at), 1):
            return
        time.sleep(0.1)
    sys.exit(f"{what} did not start")


def refused(server: "base.Server", *args: object) -> str:
    env = os.environ | {"LIMN_URL": server.url, "LIMN_TOKEN": server.token}
    done = subprocess.run([server.program, *map(str, args)], env=env, capture_output=True)
    assert done.returncode != 0, f"{args} was not refused"
    return done.stderr.decode()


class Store:
    """A datastore under test: how to fill it, and how to give it another key."""

    kind = ""
    # Names of credentials.
    key = ""

    def settings(self) -> dict[str, str]:
        raise NotImplementedError

    def put(self, files: dict[str, bytes]) -> None:
        raise NotImplementedError

    def rotate(self) -> dict[str, str]:
        """Makes the old key useless; answers settings that change."""
        return {}

    def stop(self) -> None:
        pass


class Moto(Store):
    kind, key = "s3", "secret_access_key"

    def __init__(self, work: Path) -> None:
        import boto3

        self.port = port()
        # With authentication on, moto checks keys and rights as AWS does, but for the first calls.
        env = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": "1000000"}
        self.server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        wait(self.port, "moto")
        self.make = lambda service: boto3.client(
            service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
            aws_access_key_id="setup", aws_secret_access_key="setup",
        )
        self.s3, self.iam = self.make("s3"), self.make("iam")
        self.s3.create_bucket(Bucket="photos")
        self.iam.create_user(UserName="limn")
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*"}]}
        self.iam.put_user_policy(UserName="limn", PolicyName="read", PolicyDocument=json.dumps(policy))
        self.new_key()

    def new_key(self) -> None:
        made = self.iam.create_access_key(UserName="limn")["AccessKey"]
        self.id, self.secret = made["AccessKeyId"], made["SecretAccessKey"]
        SECRETS.append(self.secret)

    def enforce(self, on: bool) -> None:
        import requests

        requests.post(f"http://127.0.0.1:{self.port}/moto-api/reset-auth", data="0" if on else "1000000", timeout=10)

    def settings(self) -> dict[str, str]:
        return {"bucket": "photos", "endpoint": f"http://127.0.0.1:{self.port}", "access_key_id": self.id}

    def put(self, files: dict[str, bytes]) -> None:
        self.enforce(False)
        for path, data in files.items():
            self.s3.put_object(Bucket="photos", Key=path, Body=data)
        self.enforce(True)

    def rotate(self) -> dict[str, str]:
        self.enforce(False)
        self.iam.delete_access_key(UserName="limn", AccessKeyId=self.id)
        self.new_key()
        self.enforce(True)
        return {"access_key_id": self.id}

    def stop(self) -> None:
        self.server.terminate()


class Folder(Store):
    """A folder served in some way."""

    def __init__(self, work: Path) -> None:
        self.folder = work / f"stores/{self.kind}"
        self.folder.mkdir(parents=True)

    def put(self, files: dict[str, bytes]) -> None:
        for path, data in files.items():
            to = self.folder / path
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(data)


class Local(Folder):
    kind = "folder"

    def settings(self) -> dict[str, str]:
        return {"path": str(self.folder)}


class Web(Folder):
    kind = "http"

    def __init__(self, work: Path) -> None:
        super().__init__(work)
        folder = str(self.folder)

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=folder)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self) -> dict[str, str]:
        return {"url": f"http://127.0.0.1:{self.server.server_address[1]}/"}

    def stop(self) -> None:
        self.server.shutdown()


class Dav(Folder):
    kind, key = "webdav", "password"

    def __init__(self, work: Path) -> None:
        super().__init__(work)
        from cheroot import wsgi
        from wsgidav.wsgidav_app import WsgiDAVApp

        self.secret = secret()
        self.users = {"limn": {"password": self.secret}}
        app = WsgiDAVApp({
            "provider_mapping": {"/": str(self.folder)},
            "simple_dc": {"user_mapping": {"*": self.users}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "verbose": 0, "logging": {"enable": False},
        })
        self.port = port()
        self.server = wsgi.Server(("127.0.0.1", self.port), app)
        threading.Thread(target=self.server.start, daemon=True).start()
        wait(self.port, "wsgidav")

    def settings(self) -> dict[str, str]:
        return {"url": f"http://127.0.0.1:{self.port}/", "username": "limn"}

    def rotate(self) -> dict[str, str]:
        self.secret = secret()
        self.users["limn"]["password"] = self.secret
        return {}

    def stop(self) -> None:
        self.server.stop()


class Ssh(Folder):
    """OpenSSH's own server, by key, for the login that runs this."""

    kind, key = "sftp", "private_key"

    def __init__(self, work: Path) -> None:
        super().__init__(work)
        self.work = work / "ssh"
        self.work.mkdir()
        self.make_key("host")
        self.new_key()
        self.port = port()
        config = self.work / "config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.work / 'host'}\nAuthorizedKeysFile {self.work / 'allowed'}\nPidFile none\n"
            "StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self.server = subprocess.Popen([sshd(), "-D", "-e", "-f", str(config)], stderr=open(self.work / "log", "wb"))
        wait(self.port, "sshd")

    def make_key(self, name: str) -> None:
        (self.work / name).unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.work / name)], check=True)

    def new_key(self) -> None:
        self.make_key("login")
        self.secret = (self.work / "login").read_text()
        # A line of its middle: at rest the lines would not be apart.
        SECRETS.append(self.secret.splitlines()[3])
        (self.work / "allowed").write_text((self.work / "login.pub").read_text())

    def settings(self) -> dict[str, str]:
        return {"host": "127.0.0.1", "port": str(self.port), "username": getpass.getuser(), "path": str(self.folder)}

    def rotate(self) -> dict[str, str]:
        self.new_key()
        return {}

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(20)


def sshd() -> str | None:
    return shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


class Azurite(Store):
    kind, key = "azure", "account_key"

    def __init__(self, work: Path) -> None:
        from azure.storage.blob import BlobServiceClient

        program = shutil.which("azurite-blob") or str(Path(os.environ.get("LIMN_AZURITE", "")) / "node_modules/.bin/azurite-blob")
        self.port = port()
        self.work = work / "azurite"
        self.program = program
        self.secret = self.make_key()
        self.start()
        self.container().create_container()
        del BlobServiceClient

    @staticmethod
    def make_key() -> str:
        import base64

        made = base64.b64encode(random.randbytes(64)).decode()
        SECRETS.append(made)
        return made

    def start(self) -> None:
        env = os.environ | {"AZURITE_ACCOUNTS": f"limnacct:{self.secret}"}
        self.server = subprocess.Popen(
            [self.program, "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--location", str(self.work), "--skipApiVersionCheck", "--silent"],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        wait(self.port, "Azurite")

    def container(self):
        from azure.storage.blob import BlobServiceClient

        service = BlobServiceClient(f"http://127.0.0.1:{self.port}/limnacct", credential={"account_name": "limnacct", "account_key": self.secret})
        return service.get_container_client("photos")

    def settings(self) -> dict[str, str]:
        return {"account": "limnacct", "container": "photos", "endpoint": f"http://127.0.0.1:{self.port}/limnacct"}

    def put(self, files: dict[str, bytes]) -> None:
        container = self.container()
        for path, data in files.items():
            container.upload_blob(path, data, overwrite=True)

    def rotate(self) -> dict[str, str]:
        self.stop()
        self.secret = self.make_key()
        self.start()
        return {}

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(20)


def values(store: Store, settings: dict[str, str], work: Path) -> list[str]:
    out = [f"--set={k}={v}" for k, v in settings.items()]
    if store.key:
        file = work / "key"
        file.write_text(store.secret)
        out.append(f"--secret-file={store.key}={file}")
    return out


def files_journey(server: "base.Server", store: Store, work: Path) -> None:
    name, project = f"Of {store.kind}", f"Project of {store.kind}"
    store.put(photos(0, PHOTOS))
    server.cli("datastore", "add", "--name", name, "--kind", store.kind, *values(store, store.settings(), work))
    (work / "key").unlink(missing_ok=True)
    listed = server.cli("datastore", "ls", "--datastore", name, "street")
    assert "street/day/" in listed and "street/über nacht/" in listed, listed
    preview = server.cli("datastore", "preview", "--datastore", name, "street/day/000.jpg")
    assert "A picture of" in preview, preview
    server.cli("projects", "create", "--name", project, "--task", "detection")
    said = server.cli("datastore", "import", "--datastore", name, "--project", project, "--glob", "street/**")
    assert f"{PHOTOS} files match: {PHOTOS} new items" in said, said
    store.put(photos(PHOTOS, 10))
    said = server.cli("datastore", "refresh", "--project", project)
    assert f"{PHOTOS + 10} files match: 10 new items, {PHOTOS} as before" in said, said
    version = server.cli("dataset", "register", "--dataset", f"Data of {store.kind}", "--datastore", name, "--glob", "street/day/*")
    assert "20 files" in version, version
    rotated = ""
    if store.key:
        changed = store.rotate()
        said = refused(server, "datastore", "test", "--datastore", name)
        assert any(words in said for words in ("not accept", "wrong", "not known")), said
        server.cli("datastore", "rotate", "--datastore", name, *values(store, changed, work))
        (work / "key").unlink()
        said = server.cli("datastore", "refresh", "--project", project)
        assert f"0 new items, {PHOTOS + 10} as before" in said, said
        rotated = ", key rotated"
    print(f"{store.kind}: {PHOTOS} photos, then 10 more, nothing read twice, a version of 20 files{rotated}")


def sql_journey(server: "base.Server", kind: str, settings: dict[str, str], password: str, work: Path, types: str) -> None:
    import pyarrow.parquet as pq

    name = f"Of {kind}"
    args = [f"--set={k}={v}" for k, v in settings.items()]
    if password:
        (work / "key").write_text(password)
        args.append(f"--secret-file=password={work / 'key'}")
    server.cli("datastore", "add", "--name", name, "--kind", kind, *args)
    assert "m" in server.cli("datastore", "ls", "--datastore", name).split("\n")
    shown = server.cli("datastore", "query", "--datastore", name, "SELECT id, name FROM m ORDER BY id")
    assert shown.split("\n")[1] == "1\tname 1", shown
    for bad in ["DELETE FROM m", "SELECT 1; DROP TABLE m", "SELECT * FROM m INTO OUTFILE '/tmp/limn-x'"]:
        refused(server, "datastore", "query", "--datastore", name, bad)
    server.cli("dataset", "register", "--dataset", f"Table of {kind}", "--kind", "tabular", "--datastore", name, "--sql", "SELECT * FROM m ORDER BY id")
    out = work / f"out-{kind}"
    server.cli("dataset", "download", "--dataset", f"Table of {kind}", "--out", out)
    table = pq.read_table(next(out.rglob("*.parquet")))
    kinds = {f.name: str(f.type) for f in table.schema}
    print(f"{kind}: {table.num_rows} rows {types}, {kinds}")
    assert table.num_rows == 5000 and kinds["id"] == "int64" and kinds["value"] == "double" and kinds["day"] == "date32[day]", kinds
    assert kinds["price"] == "string" and table["price"][0].as_py() == "0.10", table["price"][0]
    assert table["at"][0].as_py().isoformat().startswith("2024-02-29T10:00:00"), table["at"][0]
    assert table["name"].null_count == 500


class MariaDb:
    def __init__(self, work: Path) -> None:
        data = work / "mariadb"
        user = ["--user=root"] if os.geteuid() == 0 else []
        install = shutil.which("mariadb-install-db")
        subprocess.run([install, f"--datadir={data}", "--auth-root-authentication-method=normal", *user], check=True, stdout=subprocess.DEVNULL)
        self.port, self.password = port(), secret()
        sock = work / "mariadb.sock"
        self.server = subprocess.Popen(
            [shutil.which("mariadbd") or "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", f"--port={self.port}", "--bind-address=127.0.0.1",
             f"--socket={sock}", "--skip-name-resolve", *user],
            stdout=subprocess.DEVNULL, stderr=open(work / "mariadb.log", "wb"),
        )
        wait(self.port, "MariaDB")
        sql = (
            "CREATE DATABASE street; USE street; CREATE TABLE m (id INT, name VARCHAR(40), value DOUBLE, price DECIMAL(10,2), day DATE, at DATETIME);"
            "INSERT INTO m SELECT seq, IF(seq % 10 = 0, NULL, CONCAT('name ', seq)), seq / 8e0, seq / 10, '2024-02-29', '2024-02-29 10:00:00' FROM seq_1_to_5000;"
            f"CREATE USER reader@'%' IDENTIFIED BY '{self.password}'; GRANT SELECT ON street.* TO reader@'%';"
        )
        subprocess.run(["mariadb", "--no-defaults", f"--socket={sock}", "-uroot", "-e", sql], check=True)

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(30)


def found(folder: Path) -> list[str]:
    """Files that hold one of the credentials."""
    out = []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            out += [str(path) for s in SECRETS if s.encode() in data]
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    parser.add_argument("--photos", type=Path)
    args, _ = parser.parse_known_args()
    if args.photos:
        OWN.extend(sorted(args.photos.glob("*.jpg")))
        if len(OWN) < PHOTOS + 10:
            sys.exit(f"{args.photos} has {len(OWN)} JPEG photos; {PHOTOS + 10} are needed")
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        home = work / "server"
        home.mkdir()
        os.environ["LIMN__DATASTORES__FOLDERS"] = str(work / "stores")
        os.environ["LIMN__NETWORK__ALLOW"] = "127.0.0.0/8, ::1"
        server = base.Server(args.limn.resolve(), home, args.database_url)
        try:
            makers = [Local, Web, Dav, Moto]
            azurite = shutil.which("azurite-blob") or os.environ.get("LIMN_AZURITE")
            for program, maker in ((sshd(), Ssh), (azurite, Azurite)):
                if program:
                    makers.append(maker)
                else:
                    print(f"{maker.kind}: left out, its server is not installed")
            for make in makers:
                store = make(work)
                try:
                    files_journey(server, store, work)
                finally:
                    store.stop()
            if args.database_url:
                url = urllib.parse.urlparse(args.database_url)
                if url.hostname:
                    postgres(server, url, work)
            if shutil.which("mariadb-install-db"):
                database = MariaDb(work)
                try:
                    settings = {"host": "127.0.0.1", "port": str(database.port), "database": "street", "username": "reader"}
                    sql_journey(server, "mysql", settings, database.password, work, "of MariaDB")
                finally:
                    database.stop()
            else:
                print("mysql: left out, MariaDB is not installed")
            assert (home / "data/secret.key").stat().st_mode & 0o777 == 0o600
        finally:
            server.stop()
        (work / "key").unlink(missing_ok=True)
        assert not found(home), found(home)
        print(f"none of {len(SECRETS)} credentials is in the data directory or the log")


def postgres(server: "base.Server", url: "urllib.parse.ParseResult", work: Path) -> None:
    sql = (
        "CREATE SCHEMA street; CREATE TABLE m AS SELECT i AS id, CASE WHEN i % 10 <> 0 THEN 'name ' || i END AS name, i / 8.0::float8 AS value, "
        "(i / 10.0)::numeric(10,2) AS price, date '2024-02-29' AS day, timestamptz '2024-02-29 10:00:00+00' AS at FROM generate_series(1, 5000) i"
    )
    subprocess.run(["psql", "-q", "-X", "-d", urllib.parse.urlunparse(url), "-c", sql], check=True)
    settings = {"host": url.hostname, "port": str(url.port or 5432), "database": url.path.lstrip("/"), "username": url.username or "postgres"}
    sql_journey(server, "postgres", settings, urllib.parse.unquote(url.password or ""), work, "of PostgreSQL")


if __name__ == "__main__":
    main()
