//! API tokens of the actor.

use crate::{Actor, Context, Result};
use limn_domain::TokenId;
use limn_domain::token::{CreatedToken, NewToken, Token};

#[derive(Clone)]
pub struct Tokens(pub(crate) Context);

impl Tokens {
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Token>> {
        todo!()
    }
    pub async fn create(&self, actor: &Actor, input: NewToken) -> Result<CreatedToken> {
        todo!()
    }
    pub async fn revoke(&self, actor: &Actor, token: TokenId) -> Result<()> {
        todo!()
    }
}
