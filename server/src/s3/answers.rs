//! Operations of S3 that read.

use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue};
use limn_domain::{Code, Timestamp as When};
use limn_services::media::MediaBody;
use limn_services::objects::{Asked, Content, Listed, Object as Opened};
use limn_services::{Actor, Error, Services};
use s3s::dto::{
    Bucket, CommonPrefix, ETag, ETagCondition, EncodingType, GetBucketLocationInput, GetBucketLocationOutput,
    GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListBucketsInput, ListBucketsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, Range, StreamingBlob, Timestamp,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use std::fmt::Write as _;
use std::io::SeekFrom;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// Keys of a page at most.
const KEYS_MAX: i32 = 1_000;

pub(super) struct Answers(pub Services);

impl Answers {
    async fn actor<T>(&self, request: &S3Request<T>) -> S3Result<Actor> {
        let credentials = request
            .credentials
            .as_ref()
            .ok_or_else(|| s3_error!(AccessDenied))?;
        self.0
            .auth
            .s3_actor(&credentials.access_key)
            .await
            .map_err(|e| match e {
                Error::Api(e) if e.code == Code::SignInRequired => {
                    s3_error!(InvalidAccessKeyId, "{}", e.message)
                }
                e => failure(e),
            })
    }

    async fn open<T>(&self, request: &S3Request<T>, bucket: &str, key: &str) -> S3Result<Opened> {
        let actor = self.actor(request).await?;
        let opened = self.0.objects.get(&actor, bucket, key).await;
        opened.map_err(|e| {
            missing(
                e,
                S3Error::with_message(s3s::S3ErrorCode::NoSuchKey, "There is no such object."),
            )
        })
    }

    async fn list<T>(&self, request: &S3Request<T>, bucket: &str, asked: &Asked<'_>) -> S3Result<Listed> {
        let actor = self.actor(request).await?;
        if asked.limit == 0 {
            return Ok(Listed::default());
        }
        let listed = self.0.objects.list(&actor, bucket, asked).await;
        listed.map_err(no_bucket)
    }
}

#[async_trait::async_trait]
impl S3 for Answers {
    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let actor = self.actor(&request).await?;
        let prefix = request.input.prefix.clone().unwrap_or_default();
        let list = self.0.objects.buckets(&actor).await.map_err(failure)?;
        let buckets = list
            .into_iter()
            .filter(|b| b.name.starts_with(&prefix))
            .map(|b| Bucket {
                creation_date: Some(time(b.created_at)),
                name: Some(b.name),
                ..Bucket::default()
            })
            .collect();
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets),
            prefix: request.input.prefix,
            ..ListBucketsOutput::default()
        }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let actor = self.actor(&request).await?;
        let found = self.0.objects.bucket(&actor, &request.input.bucket).await;
        found.map_err(no_bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        let actor = self.actor(&request).await?;
        let found = self.0.objects.bucket(&actor, &request.input.bucket).await;
        found.map_err(no_bucket)?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = &request.input;
        let folders = folders(input.delimiter.as_deref())?;
        let limit = input.max_keys.unwrap_or(KEYS_MAX).clamp(0, KEYS_MAX);
        // A marker of ours goes on where the page before ended.
        let (token, after) = match input.marker.as_deref() {
            Some(m) => match m.strip_prefix(MARKER) {
                Some(token) => (Some(token), None),
                None => (None, Some(m).filter(|m| !m.is_empty())),
            },
            None => (None, None),
        };
        let asked = Asked {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            folders,
            token,
            after,
            limit: limit as usize,
        };
        let listed = self.list(&request, &input.bucket, &asked).await?;
        let names = Names::of(input.encoding_type.as_ref());
        let input = request.input;
        Ok(S3Response::new(ListObjectsOutput {
            is_truncated: Some(listed.next.is_some()),
            next_marker: listed.next.as_ref().map(|t| format!("{MARKER}{t}")),
            contents: Some(names.objects(&listed)),
            common_prefixes: Some(names.prefixes(&listed)),
            prefix: Some(names.text(input.prefix.as_deref().unwrap_or_default())),
            name: Some(input.bucket),
            marker: input.marker,
            max_keys: Some(limit),
            delimiter: input.delimiter,
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = &request.input;
        let limit = input.max_keys.unwrap_or(KEYS_MAX).clamp(0, KEYS_MAX);
        let asked = Asked {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            folders: folders(input.delimiter.as_deref())?,
            token: input.continuation_token.as_deref(),
            after: input.start_after.as_deref().filter(|a| !a.is_empty()),
            limit: limit as usize,
        };
        let listed = self.list(&request, &input.bucket, &asked).await?;
        let names = Names::of(input.encoding_type.as_ref());
        let input = request.input;
        Ok(S3Response::new(ListObjectsV2Output {
            key_count: i32::try_from(listed.objects.len() + listed.prefixes.len()).ok(),
            is_truncated: Some(listed.next.is_some()),
            contents: Some(names.objects(&listed)),
            common_prefixes: Some(names.prefixes(&listed)),
            next_continuation_token: listed.next,
            prefix: Some(names.text(input.prefix.as_deref().unwrap_or_default())),
            name: Some(input.bucket),
            max_keys: Some(limit),
            continuation_token: input.continuation_token,
            start_after: input.start_after,
            delimiter: input.delimiter,
            encoding_type: input.encoding_type,
            ..ListObjectsV2Output::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let opened = self
            .open(&request, &request.input.bucket, &request.input.key)
            .await?;
        conditions(
            &opened,
            request.input.if_match.as_ref(),
            request.input.if_none_match.as_ref(),
        )?;
        let mut response = S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(opened.bytes as i64),
            content_type: Some(opened.media_type.clone()),
            e_tag: Some(ETag::Strong(opened.etag.clone())),
            last_modified: Some(time(opened.created_at)),
            ..HeadObjectOutput::default()
        });
        harmless(&mut response.headers);
        Ok(response)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let opened = self
            .open(&request, &request.input.bucket, &request.input.key)
            .await?;
        conditions(
            &opened,
            request.input.if_match.as_ref(),
            request.input.if_none_match.as_ref(),
        )?;
        let range = match &request.input.range {
            Some(Range::Suffix { length: 0 }) => return Err(s3_error!(InvalidRange)),
            Some(range) => Some(range.check(opened.bytes).map_err(|_| s3_error!(InvalidRange))?),
            None => None,
        };
        let content_range = range
            .as_ref()
            .map(|r| format!("bytes {}-{}/{}", r.start, r.end - 1, opened.bytes));
        let part = range.unwrap_or(0..opened.bytes);
        let mut response = S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some((part.end - part.start) as i64),
            content_range,
            content_type: Some(opened.media_type.clone()),
            e_tag: Some(ETag::Strong(opened.etag.clone())),
            last_modified: Some(time(opened.created_at)),
            body: Some(body(opened.content, part).await?),
            ..GetObjectOutput::default()
        });
        harmless(&mut response.headers);
        Ok(response)
    }
}

/// Stands before what goes on a list in the place of a key; as text that XML can hold.
const MARKER: &str = "limn-page:";

/// Names as the client wants them written.
struct Names {
    encoded: bool,
}

impl Names {
    fn of(encoding: Option<&EncodingType>) -> Self {
        Self {
            encoded: encoding.is_some_and(|e| e.as_str() == EncodingType::URL),
        }
    }

    fn text(&self, text: &str) -> String {
        if !self.encoded {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for b in text.bytes() {
            if b.is_ascii_alphanumeric() || b"-_.~/".contains(&b) {
                out.push(b as char);
            } else {
                // Writing to a text cannot fail.
                let _ = write!(out, "%{b:02X}");
            }
        }
        out
    }

    fn objects(&self, listed: &Listed) -> Vec<Object> {
        let list = listed.objects.iter().map(|o| Object {
            key: Some(self.text(&o.key)),
            size: Some(o.bytes),
            e_tag: Some(ETag::Strong(o.etag.clone())),
            last_modified: Some(time(o.created_at)),
            ..Object::default()
        });
        list.collect()
    }

    fn prefixes(&self, listed: &Listed) -> Vec<CommonPrefix> {
        let list = listed.prefixes.iter().map(|p| CommonPrefix {
            prefix: Some(self.text(p)),
        });
        list.collect()
    }
}

fn folders(delimiter: Option<&str>) -> S3Result<bool> {
    match delimiter {
        None | Some("") => Ok(false),
        Some("/") => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "The delimiter is `/` or absent.")),
    }
}

fn conditions(
    opened: &Opened,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let is = |c: &ETagCondition| match c {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.value() == opened.etag,
    };
    if if_match.is_some_and(|c| !is(c)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(is) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

async fn body(content: Content, part: std::ops::Range<u64>) -> S3Result<StreamingBlob> {
    Ok(match content {
        Content::Stored(MediaBody::Bytes(bytes)) => {
            let bytes = bytes.slice(part.start as usize..part.end as usize);
            StreamingBlob::wrap(futures::stream::once(
                async move { Ok::<_, std::io::Error>(bytes) },
            ))
        }
        Content::Stored(MediaBody::File { path, .. }) => {
            let mut file = tokio::fs::File::open(&path)
                .await
                .map_err(|e| failure(e.into()))?;
            if part.start > 0 {
                let place = SeekFrom::Start(part.start);
                file.seek(place).await.map_err(|e| failure(e.into()))?;
            }
            let file = file.take(part.end - part.start);
            StreamingBlob::wrap(ReaderStream::with_capacity(file, 128 << 10))
        }
        Content::Stored(MediaBody::Blob(blob)) => {
            let pieces = blob.pieces(part).await;
            passed_on(pieces.map_err(|e| failure(Error::Internal(e.into())))?)
        }
        Content::Stored(MediaBody::Remote(remote)) => {
            let mut pieces = remote.pieces(part).await.map_err(failure)?;
            StreamingBlob::wrap(futures::stream::poll_fn(move |cx| pieces.poll_recv(cx)))
        }
        Content::Made(made) => {
            let mut pieces = made.pieces(Some(part));
            StreamingBlob::wrap(futures::stream::poll_fn(move |cx| pieces.poll_recv(cx)))
        }
    })
}

/// A body of pieces as they come from the store.
fn passed_on(mut pieces: limn_storage::objects::Pieces) -> StreamingBlob {
    let (send, mut receive) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        while let Some(piece) = pieces.next().await {
            // Nobody reads on, if not.
            if send.send(piece.map_err(std::io::Error::from)).await.is_err() {
                break;
            }
        }
    });
    StreamingBlob::wrap(futures::stream::poll_fn(move |cx| receive.poll_recv(cx)))
}

/// Whatever the bytes are, opened on their own they run nothing and reach nothing.
fn harmless(headers: &mut HeaderMap) {
    headers.insert(
        http::header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'"),
    );
}

fn time(at: When) -> Timestamp {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(at.0.unsigned_abs());
    Timestamp::from(at)
}

fn no_bucket(e: Error) -> S3Error {
    missing(
        e,
        S3Error::with_message(
            s3s::S3ErrorCode::NoSuchBucket,
            "There is no such dataset or version.",
        ),
    )
}

/// `instead` where the thing is not there.
fn missing(e: Error, instead: S3Error) -> S3Error {
    match e {
        Error::Api(e) if e.code == Code::NotFound => instead,
        e => failure(e),
    }
}

/// What is said when something cannot be done; internals are logged and not told.
pub(super) fn failure(e: Error) -> S3Error {
    let e = e.into_api();
    match e.code {
        Code::NotFound => s3_error!(NoSuchKey, "{}", e.message),
        Code::Forbidden | Code::SignInRequired => s3_error!(AccessDenied, "{}", e.message),
        Code::Unavailable => s3_error!(ServiceUnavailable, "{}", e.message),
        Code::InvalidInput | Code::BadRequest => s3_error!(InvalidArgument, "{}", e.message),
        Code::WrongState | Code::Conflict => s3_error!(OperationAborted, "{}", e.message),
        _ => s3_error!(InternalError, "{}", e.message),
    }
}
