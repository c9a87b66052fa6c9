//! How programs get a version: text that pins its digest. Tests run what they can of it.

use super::Version;

/// A piece of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// Short name, e.g. of the language.
    pub title: &'static str,
    pub about: &'static str,
    pub code: String,
}

/// A text within single quotes of a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text as a Python literal.
fn python(text: &str) -> String {
    // JSON's escapes are Python's.
    serde_json::Value::from(text).to_string()
}

/// The snippets for a version of the dataset `name` on the server at `origin`. `boxes`: it holds pictures, so that COCO
/// tools can read it.
pub fn all(origin: &str, name: &str, version: &Version, boxes: bool) -> Vec<Snippet> {
    let (id, digest) = (version.id, &version.digest);
    let origin = origin.trim_end_matches('/');
    let mut list = vec![
        Snippet {
            title: "Command line",
            about: "Limn's own program: the files, checked against the digest.",
            code: format!(
                "export LIMN_URL={}\nlimn dataset download --dataset {} --version {digest} --out data",
                shell(origin),
                shell(name),
            ),
        },
        Snippet {
            title: "curl",
            about: "All files as a zip; add ?split=train for one split.",
            code: format!(
                "curl --fail --location --oauth2-bearer \"$LIMN_TOKEN\" --output data.zip \\\n  {}",
                shell(&format!("{origin}/api/v1/versions/{id}/zip")),
            ),
        },
        Snippet {
            title: "Python",
            about: "Needs requests. Gets the version only if it is this very content.",
            code: format!(
                r#"import os, requests, zipfile

url, version = {}, "{id}"
digest = "{digest}"
session = requests.Session()
session.headers["Authorization"] = "Bearer " + os.environ["LIMN_TOKEN"]

found = session.get(f"{{url}}/api/v1/versions/{{version}}")
found.raise_for_status()
assert found.json()["digest"] == digest

with session.get(f"{{url}}/api/v1/versions/{{version}}/zip", stream=True) as answer:
    answer.raise_for_status()
    with open("data.zip", "wb") as file:
        for piece in answer.iter_content(1 << 20):
            file.write(piece)
zipfile.ZipFile("data.zip").extractall("data")
"#,
                python(origin)
            ),
        },
    ];
    list.extend(s3(origin, name, version));
    list.push(Snippet {
        title: "Croissant",
        about: "Needs mlcroissant. Records with their files, checked against SHA-256.",
        code: format!(
            r#"import json, os, requests, mlcroissant

os.environ["CROISSANT_BASIC_AUTH_USERNAME"] = "token"
os.environ["CROISSANT_BASIC_AUTH_PASSWORD"] = os.environ["LIMN_TOKEN"]
found = requests.get({}, auth=("token", os.environ["LIMN_TOKEN"]))
found.raise_for_status()
assert found.json()["identifier"] == "{digest}"
with open("croissant.json", "w") as file:
    json.dump(found.json(), file)

dataset = mlcroissant.Dataset("croissant.json")
# Texts come as bytes.
for record in dataset.records("files"):
    print(record["files/file_name"].decode(), record["files/bytes"])
"#,
            python(&format!("{origin}/api/v1/versions/{id}/croissant")),
        ),
    });
    if boxes {
        list.push(Snippet {
            title: "Python, COCO",
            about: "Needs requests, pycocotools and torchvision. Labels as COCO with upright pictures; the same bytes each time.",
            code: format!(
                r#"import os, time, requests, zipfile
from torchvision.datasets import CocoDetection

url, version = {}, "{id}"
digest = "{digest}"
session = requests.Session()
session.headers["Authorization"] = "Bearer " + os.environ["LIMN_TOKEN"]

found = session.get(f"{{url}}/api/v1/versions/{{version}}")
found.raise_for_status()
assert found.json()["digest"] == digest

job = session.post(f"{{url}}/api/v1/versions/{{version}}/exports", json={{"format": "coco", "with_images": True}})
job.raise_for_status()
job = job.json()
while job["state"] in ("queued", "running"):
    time.sleep(0.5)
    job = session.get(f"{{url}}/api/v1/jobs/{{job['id']}}").json()
assert job["state"] == "succeeded", job["error"]

answer = session.get(url + job["result"]["url"])
answer.raise_for_status()
with open("coco.zip", "wb") as file:
    file.write(answer.content)
zipfile.ZipFile("coco.zip").extractall("coco")
dataset = CocoDetection("coco/images", "coco/annotations/instances_default.json")
print(len(dataset), "images")
"#,
                python(origin)
            ),
        });
    }
    list
}

/// Those that read over S3.
fn s3(origin: &str, name: &str, version: &Version) -> Vec<Snippet> {
    let (scheme, host) = origin.split_once("://").unwrap_or(("http", origin));
    let folder = format!(
        "{}/{}",
        super::bucket_name(name, version.dataset_id),
        version.digest
    );
    vec![
        Snippet {
            title: "Python, S3",
            about: "Needs boto3. The key pair of a token is shown when the token is made.",
            code: format!(
                r#"import boto3
from botocore.config import Config

# AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY come from the environment.
s3 = boto3.client(
    "s3", endpoint_url={}, region_name="us-east-1",
    config=Config(s3={{"addressing_style": "path"}}),
)
bucket, version = {}, "{}"
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=version + "/")
for page in pages:
    for found in page.get("Contents", []):
        print(found["Key"], found["Size"])
"#,
                python(origin),
                python(&super::bucket_name(name, version.dataset_id)),
                version.digest,
            ),
        },
        Snippet {
            title: "pandas",
            about: "Needs pandas and s3fs. A row a file, with its labels.",
            code: format!(
                r#"import os
import pandas as pd

files = pd.read_json(
    "s3://{folder}/{metadata}", lines=True,
    storage_options={{
        "key": os.environ["AWS_ACCESS_KEY_ID"], "secret": os.environ["AWS_SECRET_ACCESS_KEY"],
        "client_kwargs": {{"endpoint_url": {url}}},
    }},
)
print(files)
"#,
                metadata = super::METADATA_FILE,
                url = python(origin),
            ),
        },
        Snippet {
            title: "DuckDB",
            about: "Needs duckdb. SQL over what is known of the files; tables are read the same way.",
            code: format!(
                r#"import os, duckdb

db = duckdb.connect()
db.sql("INSTALL httpfs; LOAD httpfs;")
db.execute(f"""CREATE SECRET (
    TYPE s3, KEY_ID '{{os.environ["AWS_ACCESS_KEY_ID"]}}', SECRET '{{os.environ["AWS_SECRET_ACCESS_KEY"]}}',
    ENDPOINT '{host}', URL_STYLE 'path', USE_SSL {tls}, REGION 'us-east-1'
)""")
print(db.sql("SELECT split, count(*) FROM 's3://{folder}/{metadata}' GROUP BY split"))
"#,
                metadata = super::METADATA_FILE,
                tls = scheme == "https",
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::VersionCounts;
    use crate::{DatasetId, Digest, Timestamp, VersionId};

    #[test]
    fn names_cannot_leave_their_quotes() {
        let version = Version {
            id: VersionId::nil(),
            dataset_id: DatasetId::nil(),
            number: 1,
            digest: Digest::parse(&"a".repeat(64)).unwrap(),
            note: String::new(),
            files: 0,
            bytes: 0,
            task: None,
            counts: VersionCounts::default(),
            aliases: Vec::new(),
            created_by_name: None,
            created_at: Timestamp(0),
        };
        let list = all("http://x/", "a'; rm -rf ~ #", &version, true);
        assert!(
            list[0].code.contains(r"--dataset 'a'\''; rm -rf ~ #'"),
            "{}",
            list[0].code
        );
        assert_eq!(list.len(), 8);
        assert!(list.iter().skip(2).all(|s| s.code.contains(&"a".repeat(64))));
    }
}
