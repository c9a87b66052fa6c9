//! Keys derived from the server's own, so that they need not be stored.

use crate::{Context, Result};
use anyhow::Context as _;
use base64::Engine as _;
use limn_domain::TokenId;
use limn_domain::token::S3Key;

/// Stands before the token's id.
const PREFIX: &str = "LIMN";

/// What S3 clients sign with for a token: BLAKE3, keyed, over its id.
pub(crate) async fn s3(ctx: &Context, token: TokenId) -> Result<S3Key> {
    let mut root = [0; 32];
    let text = ctx.server_key().await?;
    hex::decode_to_slice(text.reveal().trim(), &mut root)
        .context("the server's key is not 64 hexadecimal digits")?;
    let mut message = b"s3 access key\0".to_vec();
    message.extend_from_slice(token.to_string().as_bytes());
    let secret = blake3::keyed_hash(&root, &message);
    Ok(S3Key {
        access_key_id: format!("{PREFIX}{}", token.to_string().replace('-', "").to_uppercase()),
        secret_access_key: base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(secret.as_bytes()),
    })
}

/// The token of an access key's id.
pub(crate) fn token_of(access_key_id: &str) -> Option<TokenId> {
    let digits = access_key_id.strip_prefix(PREFIX)?;
    (digits.len() == 32).then(|| digits.parse().ok())?
}
