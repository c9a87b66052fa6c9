//! The ways in: signing in, the set-up link, an invitation.

pub mod api;
mod frame;
mod invite;
mod setup;
mod sign_in;

pub use invite::InvitePage;
pub use setup::SetupPage;
pub use sign_in::SignInPage;
