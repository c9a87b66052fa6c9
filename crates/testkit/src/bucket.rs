//! An object store in memory that speaks S3 over HTTP and checks signatures, for tests that keep files in one.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object, PutObjectInput, PutObjectOutput,
    StreamingBlob, Timestamp, UploadPartInput, UploadPartOutput,
};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The bucket there is, and the key that opens it.
pub const BUCKET: &str = "limn";
pub const KEY_ID: &str = "AKLIMN";
pub const SECRET: &str = "a secret of tests";
/// Objects of a page, so that lists have several.
const PAGE: usize = 50;

#[derive(Debug, Clone)]
struct Stored {
    bytes: Bytes,
    at: SystemTime,
}

type Parts = BTreeMap<i32, Bytes>;

#[derive(Debug, Default)]
struct Inner {
    objects: Mutex<BTreeMap<String, Stored>>,
    /// Uploads in parts, by id.
    uploads: Mutex<BTreeMap<String, (String, Parts)>>,
    away: AtomicBool,
    reads: AtomicUsize,
    /// Requests to write that a link allowed.
    by_link: AtomicUsize,
}

/// A running object store; what it holds goes with it. Cheap to clone.
#[derive(Clone)]
pub struct TestBucket {
    inner: Arc<Inner>,
    addr: SocketAddr,
    _stop: Arc<Stop>,
}

struct Stop(tokio::task::JoinHandle<()>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TestBucket {
    /// Listens at a free port of this machine.
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let mut builder = S3ServiceBuilder::new(Store(Arc::clone(&inner)));
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let addr = listener.local_addr().expect("the listener has an address");
        let state = (Arc::clone(&inner), builder.build());
        let router = Router::new().fallback(answer).with_state(state);
        let served = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the store serves");
        });
        Self {
            inner,
            addr,
            _stop: Arc::new(Stop(served)),
        }
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Answers nothing but 503 from here on, or answers again.
    pub fn go_away(&self, away: bool) {
        self.inner.away.store(away, Ordering::SeqCst);
    }

    /// How often objects were read so far.
    pub fn reads(&self) -> usize {
        self.inner.reads.load(Ordering::SeqCst)
    }

    /// How often somebody has put something by a link so far, or tried to.
    pub fn puts_by_link(&self) -> usize {
        self.inner.by_link.load(Ordering::SeqCst)
    }

    /// The keys that begin so, in order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let objects = lock(&self.inner.objects);
        objects
            .keys()
            .filter(|k| k.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// Uploads in parts that were neither completed nor dropped.
    pub fn open_uploads(&self) -> usize {
        lock(&self.inner.uploads).len()
    }

    pub fn get(&self, key: &str) -> Option<Bytes> {
        lock(&self.inner.objects).get(key).map(|o| o.bytes.clone())
    }

    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        let stored = Stored {
            bytes: bytes.into(),
            at: SystemTime::now(),
        };
        lock(&self.inner.objects).insert(key.to_owned(), stored);
    }

    /// Makes everything older.
    pub fn age(&self, by: std::time::Duration) {
        for object in lock(&self.inner.objects).values_mut() {
            object.at -= by;
        }
    }
}

async fn answer(State((inner, service)): State<(Arc<Inner>, S3Service)>, request: Request) -> Response {
    if inner.away.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let query = request.uri().query().unwrap_or_default();
    if request.method() == Method::PUT && query.contains("X-Amz-Signature=") {
        inner.by_link.fetch_add(1, Ordering::SeqCst);
    }
    let request = if matches!(*request.method(), Method::PUT | Method::POST) {
        request.map(s3s::Body::http_body_unsync)
    } else {
        request.map(|_| s3s::Body::empty())
    };
    match service.call(request).await {
        Ok(response) => response.map(Body::new),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

struct Store(Arc<Inner>);

impl Store {
    fn is_ours(bucket: &str) -> S3Result<()> {
        if bucket == BUCKET {
            Ok(())
        } else {
            Err(s3_error!(NoSuchBucket))
        }
    }

    fn find(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        Self::is_ours(bucket)?;
        let found = lock(&self.0.objects).get(key).cloned();
        found.ok_or_else(|| s3_error!(NoSuchKey))
    }

    fn keep(&self, key: String, bytes: Bytes) -> ETag {
        let tag = tag(&bytes);
        let at = SystemTime::now();
        lock(&self.0.objects).insert(key, Stored { bytes, at });
        tag
    }
}

fn tag(bytes: &[u8]) -> ETag {
    ETag::Strong(blake3::hash(bytes).to_hex()[..32].to_owned())
}

/// The body, whose digest is checked on the way.
async fn whole(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut bytes = Vec::new();
    if let Some(mut body) = body {
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| s3_error!(BadDigest))?;
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes.into())
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        Self::is_ours(&input.bucket)?;
        let bytes = whole(input.body).await?;
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(self.keep(input.key, bytes)),
            ..PutObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let found = self.find(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(found.bytes.len() as i64),
            e_tag: Some(tag(&found.bytes)),
            last_modified: Some(Timestamp::from(found.at)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let found = self.find(&input.bucket, &input.key)?;
        self.0.reads.fetch_add(1, Ordering::SeqCst);
        let len = found.bytes.len() as u64;
        let range = match &input.range {
            Some(range) => Some(range.check(len).map_err(|_| s3_error!(InvalidRange))?),
            None => None,
        };
        let content_range = range
            .as_ref()
            .map(|r| format!("bytes {}-{}/{len}", r.start, r.end - 1));
        let part = range.unwrap_or(0..len);
        let bytes = found.bytes.slice(part.start as usize..part.end as usize);
        let body = futures::stream::once(async move { Ok::<_, std::io::Error>(bytes) });
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some((part.end - part.start) as i64),
            content_range,
            content_type: input.response_content_type,
            content_disposition: input.response_content_disposition,
            e_tag: Some(tag(&found.bytes)),
            last_modified: Some(Timestamp::from(found.at)),
            body: Some(StreamingBlob::wrap(body)),
            ..GetObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        Self::is_ours(&request.input.bucket)?;
        lock(&self.0.objects).remove(&request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        Self::is_ours(&input.bucket)?;
        let prefix = input.prefix.unwrap_or_default();
        let after = input.continuation_token.unwrap_or_default();
        let objects = lock(&self.0.objects);
        let mut found = objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix) && **key > after);
        let contents: Vec<Object> = found
            .by_ref()
            .take(PAGE)
            .map(|(key, stored)| Object {
                key: Some(key.clone()),
                size: Some(stored.bytes.len() as i64),
                last_modified: Some(Timestamp::from(stored.at)),
                ..Object::default()
            })
            .collect();
        let more = found.next().is_some();
        let next = contents.last().and_then(|o| o.key.clone()).filter(|_| more);
        Ok(S3Response::new(ListObjectsV2Output {
            is_truncated: Some(more),
            next_continuation_token: next,
            contents: Some(contents),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        Self::is_ours(&input.bucket)?;
        let id = uuid::Uuid::now_v7().to_string();
        lock(&self.0.uploads).insert(id.clone(), (input.key, Parts::new()));
        Ok(S3Response::new(CreateMultipartUploadOutput {
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let bytes = whole(input.body).await?;
        let tag = tag(&bytes);
        let mut uploads = lock(&self.0.uploads);
        let (_, parts) = uploads
            .get_mut(&input.upload_id)
            .ok_or_else(|| s3_error!(NoSuchUpload))?;
        parts.insert(input.part_number, bytes);
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(tag),
            ..UploadPartOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let (key, parts) = lock(&self.0.uploads)
            .remove(&input.upload_id)
            .ok_or_else(|| s3_error!(NoSuchUpload))?;
        let named = input.multipart_upload.and_then(|u| u.parts).unwrap_or_default();
        let mut bytes = Vec::new();
        for part in named {
            let part_bytes = part.part_number.and_then(|n| parts.get(&n));
            let part_bytes = part_bytes.ok_or_else(|| s3_error!(InvalidPart))?;
            if part.e_tag.is_some_and(|t| t != tag(part_bytes)) {
                return Err(s3_error!(InvalidPart));
            }
            bytes.extend_from_slice(part_bytes);
        }
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            e_tag: Some(self.keep(key, bytes.into())),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        lock(&self.0.uploads).remove(&request.input.upload_id);
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
